-- 0016_payees_who_left: of where an erased creator was paid to, nothing is written any more.
CREATE FUNCTION ledger_guard_erased_payee() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NEW.account NOT LIKE 'erased:%' OR NEW.holder <> '' OR NEW.country <> 'ZZ' THEN
        PERFORM FROM public.registry_creator
          WHERE id = NEW.creator_id AND erased_at IS NOT NULL;
        IF FOUND THEN
            RAISE EXCEPTION 'creator % was erased: where it was paid to is forgotten', NEW.creator_id
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payee_of_the_erased_is_nobody BEFORE INSERT OR UPDATE ON ledger_payee
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_erased_payee();
