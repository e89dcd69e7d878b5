-- What was set aside, and for what, is on record; it is released once.
CREATE FUNCTION ledger_guard_set_aside() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.released_at IS NOT NULL THEN
            RAISE EXCEPTION 'what is set aside is not released yet'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.released_at IS NOT NULL
        OR (NEW.id, NEW.account_id, NEW.subject, NEW.amount_micros, NEW.currency, NEW.entry_id,
            NEW.set_aside_at)
        IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.subject, OLD.amount_micros, OLD.currency,
            OLD.entry_id, OLD.set_aside_at) THEN
        RAISE EXCEPTION 'what was set aside is fixed, and released once'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_setaside_is_guarded BEFORE INSERT OR UPDATE ON ledger_setaside
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_set_aside();
CREATE TRIGGER ledger_setaside_is_kept BEFORE DELETE OR TRUNCATE ON ledger_setaside
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

REVOKE ALL ON ledger_setaside FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT, UPDATE ON ledger_setaside TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_setaside_id_seq TO tribute_app;
