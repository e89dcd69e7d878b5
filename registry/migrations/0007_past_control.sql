-- 0007_past_control: a proof that ended held until then, and stays on record.
CREATE TRIGGER past_control_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_pastcontrol
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
ALTER TABLE registry_pastcontrol ADD CONSTRAINT past_control_evidence_is_whole
    CHECK (octet_length(evidence_sha256) = 32);

REVOKE ALL ON registry_pastcontrol FROM tribute_app;
GRANT SELECT, INSERT ON registry_pastcontrol TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE registry_pastcontrol_id_seq TO tribute_app;
