-- 0012_claims: what people find about claims, clusters and matches stays as it happened.

CREATE TRIGGER cluster_event_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_clusterevent
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER match_appeal_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_matchappeal
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER match_finding_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_matchfinding
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();

ALTER TABLE registry_matchappeal ADD CONSTRAINT match_appeal_code_key_is_whole
    CHECK (octet_length(code_key) = 32);

-- Claims from before this rule held both sides' earnings. Those that are open go on doing so for
-- as long as any newly made claim may.
UPDATE registry_claimconflict SET claimed_at = now() WHERE resolved_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON registry_cluster, registry_clustermember TO tribute_app;
GRANT USAGE, SELECT ON
    SEQUENCE registry_clustermember_id_seq, registry_clusterevent_id_seq
TO tribute_app;
REVOKE ALL ON registry_clusterevent, registry_matchappeal, registry_matchfinding FROM tribute_app;
GRANT SELECT, INSERT ON registry_clusterevent, registry_matchappeal, registry_matchfinding
TO tribute_app;
