-- Holds that are used up in parts: one for a whole call, drawn on by each thing it was made for.
--
-- What is left of a hold is its amount less what was settled and what went back. When it ends,
-- what was not settled went back; the trigger writes that down, whoever ends it.
ALTER TABLE ledger_hold DISABLE TRIGGER ledger_hold_is_guarded;
UPDATE ledger_hold SET returned_micros = amount_micros - settled_micros WHERE status <> 'reserved';
ALTER TABLE ledger_hold ENABLE TRIGGER ledger_hold_is_guarded;

CREATE OR REPLACE FUNCTION ledger_guard_hold() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'reserved' OR NEW.settled_micros <> 0 OR NEW.returned_micros <> 0 THEN
            RAISE EXCEPTION 'a hold begins reserved, and whole'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.key, NEW.source_id, NEW.reserved_id, NEW.amount_micros, NEW.currency,
        NEW.in_parts, NEW.expires_at, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.key, OLD.source_id, OLD.reserved_id, OLD.amount_micros,
        OLD.currency, OLD.in_parts, OLD.expires_at, OLD.created_at) THEN
        RAISE EXCEPTION 'what a hold holds, and until when, is fixed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status <> 'reserved' THEN
        RAISE EXCEPTION 'a hold that is % stays so', OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.settled_micros < OLD.settled_micros OR NEW.returned_micros < OLD.returned_micros THEN
        RAISE EXCEPTION 'what was drawn from a hold stays drawn'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status = 'reserved' AND NOT NEW.in_parts THEN
        RAISE EXCEPTION 'this hold ends whole' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> 'reserved' AND NEW.returned_micros = OLD.returned_micros THEN
        NEW.returned_micros := NEW.amount_micros - NEW.settled_micros;
    END IF;
    RETURN NEW;
END $$;
