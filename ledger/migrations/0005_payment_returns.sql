-- What payers took back is on record for good.
CREATE TRIGGER ledger_paymentreturn_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_paymentreturn
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

REVOKE ALL ON ledger_paymentreturn FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_paymentreturn TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_paymentreturn_id_seq TO tribute_app;
