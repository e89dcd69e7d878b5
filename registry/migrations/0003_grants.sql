-- 0003_grants: what the running service may do with the registry's tables.
-- Ordinary tables: everything. Protected ones: read and add.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tribute_app') THEN
        CREATE ROLE tribute_app NOLOGIN;
    END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    registry_user, registry_user_groups, registry_user_user_permissions,
    registry_creator, registry_creator_members,
    registry_operator, registry_operator_members,
    registry_apikey,
    registry_work, registry_identifier, registry_rightsshare, registry_workfeatures,
    registry_collection, registry_claimconflict,
    registry_terms, registry_grant, registry_decisionindex,
    registry_manifest, registry_manifestrow
TO tribute_app;

REVOKE ALL ON registry_statement, registry_check, registry_logoutbox, registry_logentry
FROM tribute_app;
GRANT SELECT, INSERT ON registry_statement, registry_check, registry_logoutbox, registry_logentry
TO tribute_app;

GRANT USAGE, SELECT ON
    SEQUENCE registry_user_groups_id_seq, registry_user_user_permissions_id_seq,
    registry_creator_members_id_seq, registry_operator_members_id_seq,
    registry_identifier_id_seq, registry_rightsshare_id_seq,
    registry_manifestrow_id_seq, registry_logoutbox_id_seq
TO tribute_app;
