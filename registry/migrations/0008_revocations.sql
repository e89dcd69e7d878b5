-- 0008_revocations: what operators were told, and that they took note, stays on record.
CREATE TRIGGER revocation_notice_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_revocationnotice
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER revocation_acknowledgement_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_revocationacknowledgement
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();

REVOKE ALL ON registry_revocationnotice, registry_revocationacknowledgement FROM tribute_app;
GRANT SELECT, INSERT ON registry_revocationnotice, registry_revocationacknowledgement
TO tribute_app;
