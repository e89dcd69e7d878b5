-- 0002_laws: what the database itself refuses, whoever asks.
--   append-only   statements, checks and log leaves are never changed or removed,
--                 by the owner of the tables neither
--   whole shares  the shares of a work sum to exactly 1,000,000 ppm at commit
--   lengths       keys, digests and salts are whole; a leaf carries its own RFC 6962 hash

CREATE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER statement_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_statement
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER check_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_check
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER log_outbox_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_logoutbox
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER log_entry_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_logentry
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();

-- The lock on the work makes two transactions that move its shares take turns: under READ
-- COMMITTED the sum is then read anew, the other's change included.
CREATE FUNCTION registry_require_whole_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    works uuid[] := CASE
        WHEN TG_TABLE_NAME = 'registry_work' THEN ARRAY[(to_jsonb(NEW) ->> 'id')::uuid]
        WHEN TG_OP = 'INSERT' THEN ARRAY[(to_jsonb(NEW) ->> 'work_id')::uuid]
        WHEN TG_OP = 'DELETE' THEN ARRAY[(to_jsonb(OLD) ->> 'work_id')::uuid]
        ELSE ARRAY[(to_jsonb(OLD) ->> 'work_id')::uuid, (to_jsonb(NEW) ->> 'work_id')::uuid]
    END;
    subject uuid;
    total bigint;
BEGIN
    FOREACH subject IN ARRAY works LOOP
        PERFORM 1 FROM registry_work WHERE id = subject FOR NO KEY UPDATE;
        CONTINUE WHEN NOT FOUND;
        SELECT coalesce(sum(ppm), 0) INTO total FROM registry_rightsshare WHERE work_id = subject;
        IF total <> 1000000 THEN
            RAISE EXCEPTION 'shares of work % sum to % ppm, not 1000000', subject, total
                USING ERRCODE = 'check_violation', CONSTRAINT = 'shares_sum_to_a_whole';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER shares_sum_to_a_whole
    AFTER INSERT OR UPDATE OR DELETE ON registry_rightsshare
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION registry_require_whole_shares();
CREATE CONSTRAINT TRIGGER work_has_whole_shares
    AFTER INSERT ON registry_work
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION registry_require_whole_shares();

ALTER TABLE registry_creator ADD CONSTRAINT creator_commitment_key_is_whole
    CHECK (octet_length(commitment_key) = 32);
ALTER TABLE registry_apikey ADD CONSTRAINT api_key_digest_is_whole
    CHECK (octet_length(digest) = 32);
ALTER TABLE registry_work ADD CONSTRAINT work_sha256_is_whole
    CHECK (octet_length(sha256) = 32);
ALTER TABLE registry_identifier ADD CONSTRAINT identifier_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_collection ADD CONSTRAINT collection_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_decisionindex ADD CONSTRAINT decision_index_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_terms ADD CONSTRAINT terms_text_sha256_is_whole
    CHECK (octet_length(text_sha256) = 32);
ALTER TABLE registry_manifestrow ADD CONSTRAINT manifest_row_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_check ADD CONSTRAINT check_digests_are_whole
    CHECK (octet_length(request_digest) = 32 AND octet_length(answers_root) = 32
           AND octet_length(salt) = 32 AND octet_length(leaf_hash) = 32);
ALTER TABLE registry_statement ADD CONSTRAINT statement_leaf_hash_is_whole
    CHECK (octet_length(leaf_hash) = 32);
ALTER TABLE registry_logoutbox ADD CONSTRAINT log_leaf_is_at_most_4_kib
    CHECK (octet_length(leaf) BETWEEN 2 AND 4096);
ALTER TABLE registry_logoutbox ADD CONSTRAINT log_leaf_hash_is_its_own
    CHECK (leaf_hash = sha256('\x00'::bytea || leaf));
