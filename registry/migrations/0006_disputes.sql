-- 0006_disputes: what happened in a claim conflict stays as it happened.
-- Conflicts from before the table get the steps that are known of them.

INSERT INTO registry_disputeevent (conflict_id, kind, reason, outcome, recorded_at)
SELECT id, 'opened', '', '', opened_at FROM registry_claimconflict ORDER BY opened_at;
INSERT INTO registry_disputeevent (conflict_id, kind, reason, outcome, recorded_at)
SELECT id, 'decided', '', outcome, resolved_at FROM registry_claimconflict
 WHERE resolved_at IS NOT NULL ORDER BY resolved_at;

CREATE TRIGGER dispute_event_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_disputeevent
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();

REVOKE ALL ON registry_disputeevent FROM tribute_app;
GRANT SELECT, INSERT ON registry_disputeevent TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE registry_disputeevent_id_seq TO tribute_app;
