-- 0011_cheaper_rows: what is asked once a batch instead of once a row.

-- The works of a batch are looked up in one sorted pass; the rest as before.
CREATE OR REPLACE FUNCTION attribution_require_named_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    works uuid[] := ARRAY(SELECT DISTINCT work_id FROM added WHERE work_id IS NOT NULL);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(8390050304829645313);
    IF (SELECT count(*) FROM registry_work WHERE id = ANY (works)) <> cardinality(works)
    OR EXISTS (
        SELECT FROM (SELECT DISTINCT query_id FROM added) AS named
         WHERE NOT EXISTS (SELECT FROM attribution_query WHERE id = named.query_id)
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

-- Contributions have no index by work any more. A work is paid only where a manifest names it, so
-- that is asked first; all contributions are read only for a work that no manifest names.
CREATE OR REPLACE FUNCTION attribution_refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(8390050304829645313);
    IF TG_TABLE_NAME = 'registry_work'
       AND (EXISTS (SELECT FROM registry_manifestrow WHERE work_id = OLD.id)
            OR EXISTS (SELECT FROM attribution_contribution WHERE work_id = OLD.id))
       OR TG_TABLE_NAME = 'registry_creator'
       AND EXISTS (SELECT FROM attribution_contribution WHERE creator_id = OLD.id) THEN
        RAISE EXCEPTION '% % has contributions, or is in a manifest', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END
$$;
