-- 0007_usage_and_review: what the running service may do with the new tables, and what nobody may.
--   append-only  signed reports, adjustments and reviews of caps are never changed or removed, by the owner neither

CREATE TRIGGER usage_report_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON attribution_usagereport
    FOR EACH STATEMENT EXECUTE FUNCTION attribution_refuse_change();

CREATE TRIGGER adjustment_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON attribution_adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION attribution_refuse_change();

CREATE TRIGGER cap_review_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON attribution_capreview
    FOR EACH STATEMENT EXECUTE FUNCTION attribution_refuse_change();

ALTER TABLE attribution_usagereport ADD CONSTRAINT usage_report_digest_is_whole
    CHECK (octet_length(digest) = 32);
ALTER TABLE attribution_reportkey ADD CONSTRAINT report_key_is_whole
    CHECK (octet_length(public_key) = 32);

REVOKE ALL ON attribution_reportkey, attribution_usageflag, attribution_usagereport FROM tribute_app;
GRANT SELECT, INSERT, UPDATE ON attribution_reportkey, attribution_usageflag TO tribute_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON attribution_reportpolicy TO tribute_app;
GRANT SELECT, INSERT ON attribution_usagereport TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE attribution_usagereport_id_seq TO tribute_app;

REVOKE ALL ON
    attribution_adjustment, attribution_shadowrun, attribution_shadowresult, attribution_shadowchange
FROM tribute_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON attribution_keptevidence TO tribute_app;
GRANT SELECT, INSERT, UPDATE ON attribution_shadowrun, attribution_shadowresult TO tribute_app;
GRANT SELECT, INSERT ON attribution_shadowchange, attribution_adjustment TO tribute_app;
GRANT USAGE, SELECT ON
    SEQUENCE attribution_shadowresult_id_seq, attribution_shadowchange_id_seq,
    attribution_adjustment_id_seq
TO tribute_app;

REVOKE ALL ON attribution_relatedparty FROM tribute_app;
GRANT SELECT, INSERT, UPDATE ON attribution_relatedparty TO tribute_app;

REVOKE ALL ON attribution_capreview FROM tribute_app;
GRANT SELECT, INSERT ON attribution_capreview TO tribute_app;
