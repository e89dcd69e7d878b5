-- A file that a bank was given stays as it was given, and a payout stands in one file for good.
CREATE TRIGGER ledger_paymentfile_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_paymentfile
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE FUNCTION ledger_guard_payment_file() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF OLD.payment_file_id IS NOT NULL THEN
        RAISE EXCEPTION 'a payout stands in one payment file for good'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM FROM ledger_paymentfile AS file
      WHERE file.id = NEW.payment_file_id AND file.batch_id = NEW.batch_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a payout stands in a payment file of its own batch'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payout_stands_in_one_file BEFORE UPDATE ON ledger_payout
    FOR EACH ROW WHEN (NEW.payment_file_id IS DISTINCT FROM OLD.payment_file_id)
    EXECUTE FUNCTION ledger_guard_payment_file();

REVOKE ALL ON ledger_paymentfile FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_paymentfile TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_paymentfile_id_seq TO tribute_app;
