-- What people decided about money, and what audits found, is on record for good.
CREATE TRIGGER ledger_adminaction_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_adminaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_auditrun_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_auditrun
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

REVOKE ALL ON ledger_adminaction, ledger_auditrun FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_adminaction, ledger_auditrun TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_adminaction_id_seq, ledger_auditrun_id_seq TO tribute_app;
