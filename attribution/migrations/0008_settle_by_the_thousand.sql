-- 0005_settle_by_the_thousand: what lets a batch of queries be settled in few statements.

-- A record is written once and read by whoever doubts it: PostgreSQL neither takes it apart nor
-- compresses it.
ALTER TABLE attribution_query
    ALTER COLUMN record TYPE bytea USING convert_to(record::text, 'UTF8'),
    ALTER COLUMN record SET STORAGE EXTERNAL;

-- Whether all of a manifest's texts are indexed is asked at every claim.
CREATE INDEX work_features_to_index ON registry_workfeatures (work_id) WHERE indexed_at IS NULL;

-- Texts that were indexed keep their order; the index itself is made anew from their features.
GRANT SELECT, INSERT ON attribution_indexedtext TO tribute_app;
INSERT INTO attribution_indexedtext (number, work_id)
SELECT row_number() OVER (ORDER BY work.registered_at, work.id) - 1, work.id
  FROM registry_workfeatures AS text
  JOIN registry_work AS work ON work.id = text.work_id
 WHERE text.indexed_at IS NOT NULL;

-- Rights change: what settlement remembers of works, and of which works it has to ask again.
-- A row is written in the transaction of the change. ``xid`` says whose: a reader that has seen
-- everything below some transaction reads on from there, so that no late commit is missed.
CREATE TABLE attribution_rightschange (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- One work; with ``other_id``, two that are or are no longer near-copies of each other.
    work_id  uuid,
    other_id uuid,
    -- The key of a place: whatever lies in it.
    place    bytea,
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT rights_change_names_works_or_a_place CHECK ((work_id IS NULL) <> (place IS NULL))
);
CREATE INDEX rights_change_xid ON attribution_rightschange (xid);
CREATE INDEX rights_change_noted_at ON attribution_rightschange (noted_at);
GRANT SELECT, INSERT, DELETE ON attribution_rightschange TO tribute_app;

CREATE FUNCTION attribution_note_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id)
    SELECT DISTINCT work_id FROM registry_identifier WHERE key IN (SELECT key FROM changed);
    INSERT INTO attribution_rightschange (place)
    SELECT DISTINCT key FROM changed
     WHERE EXISTS (SELECT FROM registry_collection WHERE key = changed.key)
        OR NOT EXISTS (SELECT FROM registry_identifier WHERE key = changed.key);
    RETURN NULL;
END
$$;
CREATE FUNCTION attribution_note_works() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id) SELECT DISTINCT work_id FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION attribution_note_pairs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id, other_id)
    SELECT DISTINCT work_id, other_id FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION attribution_note_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id, other_id)
    SELECT work_id, other_id FROM changed
     UNION SELECT work_id, NULL FROM changed
     UNION SELECT other_id, NULL FROM changed;
    RETURN NULL;
END
$$;
CREATE FUNCTION attribution_note_creator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id)
    SELECT work_id FROM registry_rightsshare WHERE creator_id = NEW.id;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    noted record;
    deed record;
BEGIN
    FOR noted IN VALUES
        ('registry_decisionindex', 'attribution_note_decisions'),
        ('registry_identifier', 'attribution_note_works'),
        ('registry_rightsshare', 'attribution_note_works'),
        ('registry_claimconflict', 'attribution_note_claims'),
        ('attribution_nearduplicate', 'attribution_note_pairs')
    LOOP
        FOR deed IN VALUES ('INSERT', 'NEW'), ('UPDATE', 'NEW'), ('DELETE', 'OLD') LOOP
            EXECUTE format(
                'CREATE TRIGGER attribution_notes_%s AFTER %s ON %I REFERENCING %s TABLE AS changed'
                ' FOR EACH STATEMENT EXECUTE FUNCTION %I()',
                lower(deed.column1), deed.column1, noted.column1, deed.column2, noted.column2
            );
        END LOOP;
    END LOOP;
END
$$;
CREATE TRIGGER attribution_notes_payment AFTER UPDATE ON registry_creator
    FOR EACH ROW WHEN (
        OLD.wants_payment IS DISTINCT FROM NEW.wants_payment
        OR OLD.erased_at IS DISTINCT FROM NEW.erased_at
    )
    EXECUTE FUNCTION attribution_note_creator();

-- Contributions name rows that exist. Asked of a whole batch at once: PostgreSQL's own foreign keys
-- ask three times for every row, which took longer than writing it. Who adds contributions and who
-- removes what they name wait for each other.
CREATE FUNCTION attribution_require_named_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8390050304829645313);
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT query_id FROM added) AS named
         WHERE NOT EXISTS (SELECT FROM attribution_query WHERE id = named.query_id)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT work_id FROM added WHERE work_id IS NOT NULL) AS named
         WHERE NOT EXISTS (SELECT FROM registry_work WHERE id = named.work_id)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT creator_id FROM added WHERE creator_id IS NOT NULL) AS named
         WHERE NOT EXISTS (SELECT FROM registry_creator WHERE id = named.creator_id)
    ) THEN
        RAISE EXCEPTION 'a contribution names a query, a work or a creator that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER contribution_names_rows_that_exist AFTER INSERT ON attribution_contribution
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION attribution_require_named_rows();

-- And what a contribution names stays. Queries are never removed anyway (0003_grants).
CREATE FUNCTION attribution_refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(8390050304829645313);
    IF TG_TABLE_NAME = 'registry_work'
       AND EXISTS (SELECT FROM attribution_contribution WHERE work_id = OLD.id)
       OR TG_TABLE_NAME = 'registry_creator'
       AND EXISTS (SELECT FROM attribution_contribution WHERE creator_id = OLD.id) THEN
        RAISE EXCEPTION '% % has contributions', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER work_with_contributions_stays BEFORE DELETE ON registry_work
    FOR EACH ROW EXECUTE FUNCTION attribution_refuse_removal();
CREATE TRIGGER creator_with_contributions_stays BEFORE DELETE ON registry_creator
    FOR EACH ROW EXECUTE FUNCTION attribution_refuse_removal();

-- A carry changes with nearly every tiny fee: room on its page, so that no index has to follow.
ALTER TABLE attribution_roundingcarry SET (fillfactor = 60);
