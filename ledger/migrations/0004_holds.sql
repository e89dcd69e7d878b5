-- Four more kinds of accounts, and money that is held until something is settled.
--
-- kind: 12 operator_reserved, 13 creator_reserved, 14 creator_debt, 15 platform_bank. A debt is
-- negative, and zero once it is paid; the rest of other people's money may never fall below zero.
ALTER TABLE ledger_account
    DROP CONSTRAINT ledger_account_kind_is_known,
    DROP CONSTRAINT ledger_account_belongs_to_whom_its_kind_says,
    DROP CONSTRAINT ledger_account_of_other_peoples_money_never_owes,
    ADD CONSTRAINT ledger_account_kind_is_known CHECK (kind BETWEEN 1 AND 15),
    ADD CONSTRAINT ledger_account_belongs_to_whom_its_kind_says CHECK (
        (kind IN (1, 12)) = (operator_id IS NOT NULL)
        AND (kind IN (2, 3, 4, 5, 13, 14)) = (creator_id IS NOT NULL)
    ),
    ADD CONSTRAINT ledger_account_of_other_peoples_money_never_owes CHECK (
        kind IN (9, 10, 11, 14, 15) OR min_balance_micros IS NOT DISTINCT FROM 0
    ),
    ADD CONSTRAINT ledger_account_debt_is_never_overpaid CHECK (
        kind <> 14 OR max_balance_micros IS NOT DISTINCT FROM 0
    );

-- A hold is what it was until it ends, once: settled, released or expired.
CREATE FUNCTION ledger_guard_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'reserved' THEN
            RAISE EXCEPTION 'a hold begins reserved' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.key, NEW.source_id, NEW.reserved_id, NEW.amount_micros, NEW.currency,
        NEW.expires_at, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.key, OLD.source_id, OLD.reserved_id, OLD.amount_micros,
        OLD.currency, OLD.expires_at, OLD.created_at) THEN
        RAISE EXCEPTION 'what a hold holds, and until when, is fixed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status <> 'reserved' THEN
        RAISE EXCEPTION 'a hold that is % stays so', OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_hold_is_guarded BEFORE INSERT OR UPDATE ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_hold();
CREATE TRIGGER ledger_hold_is_kept BEFORE DELETE OR TRUNCATE ON ledger_hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

REVOKE ALL ON ledger_hold FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT, UPDATE ON ledger_hold TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_hold_id_seq TO tribute_app;
