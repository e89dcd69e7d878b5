-- 0017_erasures: people leave, and stay gone.
--   names        once a creator was erased, nothing about it is written or changed any more
--   content      the content code of a work that nobody is to recognise may go, and only go
-- Who writes about a creator and who erases it wait for each other: the writer's lock on the row is
-- one that only the eraser's excludes.

CREATE FUNCTION registry_refuse_about_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gone uuid;
BEGIN
    EXECUTE format(
        'SELECT id FROM (SELECT id, erased_at FROM registry_creator'
        ' WHERE id IN (SELECT %I FROM added) FOR KEY SHARE) AS named'
        ' WHERE erased_at IS NOT NULL LIMIT 1', TG_ARGV[0]) INTO gone;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION 'creator % was erased: nothing more is kept about it', gone
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION registry_refuse_change_of_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registry_creator
                WHERE id = (to_jsonb(NEW) ->> TG_ARGV[0])::uuid AND erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a creator of this % was erased: it stays as it is', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION registry_refuse_change_of_the_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % was erased and stays so', TG_TABLE_NAME, OLD.id
        USING ERRCODE = 'restrict_violation';
END
$$;

DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN VALUES
        ('registry_creator_members', 'creator_id'), ('registry_apikey', 'creator_id'),
        ('registry_work', 'registered_by_id'), ('registry_collection', 'creator_id'),
        ('registry_terms', 'creator_id'), ('registry_import', 'creator_id'),
        ('registry_upload', 'creator_id'), ('registry_workreference', 'creator_id'),
        ('registry_webhookendpoint', 'creator_id'), ('registry_signer', 'creator_id'),
        ('registry_statement', 'claimant_id')
    LOOP
        EXECUTE format(
            'CREATE TRIGGER nothing_is_added_about_the_erased AFTER INSERT ON %I'
            ' REFERENCING NEW TABLE AS added FOR EACH STATEMENT'
            ' EXECUTE FUNCTION registry_refuse_about_erased(%L)', kept.column1, kept.column2);
    END LOOP;
    FOR kept IN VALUES
        ('registry_collection', 'creator_id', 'canonical'),
        ('registry_terms', 'creator_id', 'uri'), ('registry_webhookendpoint', 'creator_id', 'url'),
        ('registry_signer', 'creator_id', 'subject, issuer, serial')
    LOOP
        EXECUTE format(
            'CREATE TRIGGER nothing_is_changed_about_the_erased BEFORE UPDATE OF %s ON %I'
            ' FOR EACH ROW EXECUTE FUNCTION registry_refuse_change_of_erased(%L)',
            kept.column3, kept.column1, kept.column2);
    END LOOP;
END
$$;

-- A work that is somebody else's too keeps its title, until the last of them is gone.
CREATE TRIGGER nothing_is_changed_about_the_erased BEFORE UPDATE OF title ON registry_work
    FOR EACH ROW WHEN (OLD.title = 'erased' AND NEW.title <> OLD.title)
    EXECUTE FUNCTION registry_refuse_change_of_erased('registered_by_id');

CREATE TRIGGER the_erased_stay_so BEFORE UPDATE OR DELETE ON registry_creator
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL)
    EXECUTE FUNCTION registry_refuse_change_of_the_erased();
CREATE TRIGGER the_erased_stay_so BEFORE UPDATE OR DELETE ON registry_user
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL)
    EXECUTE FUNCTION registry_refuse_change_of_the_erased();

-- A key that leads nowhere, and to nothing that was there.
CREATE FUNCTION registry_random_key() RETURNS bytea LANGUAGE sql VOLATILE
RETURN sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

DROP TRIGGER work_content_code_is_for_good ON registry_work;
CREATE TRIGGER work_content_code_is_for_good
    BEFORE UPDATE OF iscc_type, iscc_bits ON registry_work
    FOR EACH ROW WHEN ((OLD.iscc_type IS DISTINCT FROM NEW.iscc_type
                        OR OLD.iscc_bits IS DISTINCT FROM NEW.iscc_bits)
                       AND NOT (NEW.iscc_bits IS NULL AND NEW.title = 'erased'))
    EXECUTE FUNCTION registry_refuse_other_content_code();

CREATE FUNCTION registry_remove_content_code() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM public.registry_contentcode WHERE work_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER work_content_code_goes_with_it AFTER UPDATE OF iscc_bits ON registry_work
    FOR EACH ROW WHEN (OLD.iscc_bits IS NOT NULL AND NEW.iscc_bits IS NULL)
    EXECUTE FUNCTION registry_remove_content_code();

ALTER TABLE registry_erasure ADD CONSTRAINT erasure_claim_digest_is_whole
    CHECK (octet_length(claim_digest) = 32);
REVOKE ALL ON registry_erasure FROM tribute_app;
GRANT SELECT, INSERT, UPDATE ON registry_erasure TO tribute_app;
