-- What payouts may never do, whoever asks: the lines of a batch do not change once drawn up,
-- a signature is given once, what is over stays over, and history is only added to.

-- What an approval is for: every payout of the batch, whom, where and how much, in order of id.
CREATE FUNCTION ledger_payout_lines_digest(batch uuid) RETURNS bytea
LANGUAGE sql STABLE
RETURN (
    SELECT sha256(uuid_send(batch) || coalesce(string_agg(
               uuid_send(payout.id) || uuid_send(payout.creator_id)
               || int8send(payout.amount_micros) || int2send(payout.currency)
               || sha256(convert_to(payout.gateway, 'UTF8'))
               || sha256(convert_to(payout.account, 'UTF8')),
               ''::bytea ORDER BY payout.id), ''::bytea))
      FROM ledger_payout AS payout
     WHERE payout.batch_id = batch
);

CREATE FUNCTION ledger_guard_payout() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM ledger_payoutbatch WHERE id = NEW.batch_id AND status = 'draft';
        IF NOT FOUND OR NEW.status <> 'planned' THEN
            RAISE EXCEPTION 'a payout joins its batch while that is a draft'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.batch_id, NEW.creator_id, NEW.gateway, NEW.account, NEW.amount_micros,
        NEW.currency, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.batch_id, OLD.creator_id, OLD.gateway, OLD.account,
        OLD.amount_micros, OLD.currency, OLD.created_at) THEN
        RAISE EXCEPTION 'whom a payout pays, where and how much is fixed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status IN ('failed', 'reversed', 'canceled') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a payout that is % stays so', OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.reversed_micros < OLD.reversed_micros THEN
        RAISE EXCEPTION 'what was taken back is not given again'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payout_is_guarded BEFORE INSERT OR UPDATE ON ledger_payout
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_payout();

CREATE FUNCTION ledger_guard_payout_batch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF (NEW.id, NEW.currency, NEW.prepared_by_id, NEW.prepared_at)
        IS DISTINCT FROM (OLD.id, OLD.currency, OLD.prepared_by_id, OLD.prepared_at)
        OR (OLD.lines_digest IS NOT NULL
            AND (NEW.lines_digest, NEW.submitted_by_id, NEW.submitted_at)
            IS DISTINCT FROM (OLD.lines_digest, OLD.submitted_by_id, OLD.submitted_at))
        OR (OLD.approved_by_id IS NOT NULL
            AND (NEW.approved_by_id, NEW.approved_at)
            IS DISTINCT FROM (OLD.approved_by_id, OLD.approved_at)) THEN
        RAISE EXCEPTION 'who drew up, submitted or approved a batch, and what, is on record'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status IN ('closed', 'canceled') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a batch that is % stays so', OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_payoutbatch_is_guarded BEFORE UPDATE ON ledger_payoutbatch
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_payout_batch();

CREATE TRIGGER ledger_payout_is_kept BEFORE DELETE OR TRUNCATE ON ledger_payout
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_payoutbatch_is_kept BEFORE DELETE OR TRUNCATE ON ledger_payoutbatch
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_payoutevent_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_payoutevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_topup_is_kept BEFORE DELETE OR TRUNCATE ON ledger_topup
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_providerevent_is_kept
    BEFORE UPDATE OF id, gateway, event_id, type, object_id, account, livemode, payload,
        happened_at, received_at OR DELETE OR TRUNCATE ON ledger_providerevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_providertransaction_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_providertransaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_publishedhead_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_publishedhead
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_reconciliation_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_reconciliation
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
