-- Some deeds about money take two people: one proposes exact lines, another confirms exactly these.
ALTER TABLE ledger_proposal ADD CONSTRAINT proposal_digest_is_of_its_lines
    CHECK (lines_digest = sha256(convert_to(lines, 'UTF8')));

CREATE TRIGGER ledger_proposal_is_kept
    BEFORE UPDATE OF id, deed, subject, reason, lines, lines_digest, proposed_by_id, proposed_at
        OR DELETE OR TRUNCATE ON ledger_proposal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE FUNCTION ledger_guard_proposal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' THEN
            RAISE EXCEPTION 'a proposal begins open' USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF OLD.status <> 'open' THEN
        RAISE EXCEPTION 'a proposal is decided once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_proposal_is_decided_once BEFORE INSERT OR UPDATE ON ledger_proposal
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_proposal();

-- What takes two is on record only with a proposal that somebody else confirmed.
CREATE FUNCTION ledger_guard_admin_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NEW.alone THEN
        RAISE EXCEPTION 'nobody decides alone about this any more'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.deed IN ('adjusted', 'taken_back', 'aside_released', 'aside_reassigned') THEN
        PERFORM FROM public.ledger_proposal AS proposal
          WHERE proposal.id = NEW.proposal_id
            AND proposal.status = 'confirmed'
            AND proposal.proposed_by_id <> NEW.by_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this takes a proposal of somebody else''s, confirmed'
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_adminaction_takes_two BEFORE INSERT ON ledger_adminaction
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_admin_action();

REVOKE ALL ON ledger_proposal FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_proposal TO tribute_app;
GRANT UPDATE (status, decided_by_id, decided_at, factor, answer) ON ledger_proposal TO tribute_app;
