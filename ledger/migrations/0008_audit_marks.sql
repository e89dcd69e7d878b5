-- How far the books were found sound is on record for good.
CREATE TRIGGER ledger_auditmark_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_auditmark
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- An audit of what is new finds the lines of new batches without reading the old ones.
CREATE INDEX ledger_line_batch ON ledger_line USING brin (batch) WITH (pages_per_range = 32);

REVOKE ALL ON ledger_auditmark FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_auditmark TO tribute_app;
