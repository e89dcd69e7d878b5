-- A payout takes only the steps of ledger.payout_steps.STEPS, whoever asks: what was sent is never due
-- again, nothing is sent that no batch under way holds, and a transfer once known is not forgotten.

CREATE FUNCTION ledger_payout_may(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN before = after OR (before, after) IN (
    ('planned', 'reserved'), ('planned', 'canceled'),
    ('reserved', 'sending'), ('reserved', 'held'), ('reserved', 'canceled'),
    ('reserved', 'transferred'),
    ('held', 'reserved'), ('held', 'canceled'), ('held', 'transferred'),
    ('sending', 'transferred'), ('sending', 'reserved'), ('sending', 'unknown'), ('sending', 'held'),
    ('sending', 'failed'),
    ('unknown', 'transferred'), ('unknown', 'reserved'), ('unknown', 'held'),
    ('transferred', 'in_transit'), ('transferred', 'paid'), ('transferred', 'bank_failed'),
    ('transferred', 'reversed'),
    ('in_transit', 'transferred'), ('in_transit', 'paid'), ('in_transit', 'bank_failed'),
    ('in_transit', 'reversed'),
    ('paid', 'bank_failed'), ('paid', 'reversed'),
    ('bank_failed', 'in_transit'), ('bank_failed', 'paid'), ('bank_failed', 'reversed')
);

CREATE FUNCTION ledger_guard_payout_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    sent constant text[] = '{transferred,in_transit,paid,bank_failed,reversed}';
BEGIN
    IF NOT public.ledger_payout_may(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'a payout that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status IN ('reserved', 'sending') AND NEW.status <> OLD.status THEN
        PERFORM FROM public.ledger_payoutbatch
          WHERE id = NEW.batch_id AND status IN ('approved', 'sending');
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a payout is % only while its batch is approved and not over', NEW.status
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF NEW.attempt < OLD.attempt OR NEW.attempt > OLD.attempt + 1
       OR (NEW.attempt <> OLD.attempt AND OLD.status NOT IN ('sending', 'unknown', 'held')) THEN
        RAISE EXCEPTION 'a new attempt follows an attempt that came to nothing'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.transfer_id <> OLD.transfer_id AND OLD.transfer_id <> '' AND OLD.status <> 'held' THEN
        RAISE EXCEPTION 'the transfer of a payout stays on record'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.reversed_micros <> OLD.reversed_micros AND NOT OLD.status = ANY (sent) THEN
        RAISE EXCEPTION 'only what was sent is taken back'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payout_takes_known_steps
    BEFORE UPDATE OF status, attempt, transfer_id, reversed_micros ON ledger_payout
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_payout_step();

CREATE FUNCTION ledger_guard_payout_batch_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('draft', 'submitted'), ('draft', 'canceled'),
        ('submitted', 'approved'), ('submitted', 'canceled'),
        ('approved', 'sending'), ('approved', 'closed'), ('approved', 'canceled'),
        ('sending', 'closed'), ('sending', 'canceled')
    ) THEN
        RAISE EXCEPTION 'a batch that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payoutbatch_takes_known_steps BEFORE UPDATE OF status ON ledger_payoutbatch
    FOR EACH ROW WHEN (NEW.status <> OLD.status)
    EXECUTE FUNCTION ledger_guard_payout_batch_step();
