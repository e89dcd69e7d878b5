-- 0003_grants: what the running service may do with attribution's tables.
-- Ordinary tables: everything. Contributions: read and add. Queries are never removed.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tribute_app') THEN
        CREATE ROLE tribute_app NOLOGIN;
    END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    attribution_generativemodel, attribution_roundingcarry,
    attribution_ngramposting, attribution_nearduplicate
TO tribute_app;

REVOKE ALL ON attribution_query, attribution_contribution FROM tribute_app;
GRANT SELECT, INSERT, UPDATE ON attribution_query TO tribute_app;
GRANT SELECT, INSERT ON attribution_contribution TO tribute_app;

GRANT USAGE, SELECT ON
    SEQUENCE attribution_contribution_id_seq, attribution_roundingcarry_id_seq,
    attribution_nearduplicate_id_seq
TO tribute_app;
