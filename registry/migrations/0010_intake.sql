-- 0010_intake: files on their way in, works imported from them, webhooks.
--   append-only  events, what was tried to tell them, and lapsed deadlines
--   lengths      keys and digests are whole
--   uncompressed the bytes of an upload are read once, in order, and removed

ALTER TABLE registry_uploadpart ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE registry_upload ADD CONSTRAINT upload_sha256_is_whole
    CHECK (octet_length(sha256) = 32);
ALTER TABLE registry_importkey ADD CONSTRAINT import_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_workreference ADD CONSTRAINT work_reference_digest_is_whole
    CHECK (octet_length(digest) = 32);
ALTER TABLE registry_manifest ADD CONSTRAINT manifest_running_digest_is_whole
    CHECK (octet_length(running_digest) = 32);
ALTER TABLE registry_manifestcode ADD CONSTRAINT manifest_code_is_whole
    CHECK (octet_length(code) IN (8, 16, 24, 32));

CREATE TRIGGER webhook_event_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_webhookevent
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER webhook_attempt_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_webhookattempt
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER revocation_lapse_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_revocationlapse
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON
    registry_upload, registry_uploadpart,
    registry_import, registry_importrow, registry_importkey, registry_workreference,
    registry_manifestcode, registry_webhookendpoint, registry_webhookdelivery
TO tribute_app;
REVOKE ALL ON registry_webhookevent, registry_webhookattempt, registry_revocationlapse
FROM tribute_app;
GRANT SELECT, INSERT ON registry_webhookevent, registry_webhookattempt, registry_revocationlapse
TO tribute_app;
GRANT USAGE, SELECT ON
    SEQUENCE registry_uploadpart_id_seq, registry_importrow_id_seq,
    registry_workreference_id_seq, registry_manifestcode_id_seq,
    registry_webhookattempt_id_seq
TO tribute_app;
