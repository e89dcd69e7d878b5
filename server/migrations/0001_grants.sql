-- 0001_grants: what the running service may do with the libraries' tables.
GRANT SELECT ON django_migrations, django_content_type, auth_permission TO tribute_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    auth_group, auth_group_permissions, django_session,
    account_emailaddress, account_emailconfirmation, mfa_authenticator, usersessions_usersession
TO tribute_app;
GRANT USAGE, SELECT ON
    SEQUENCE auth_group_id_seq, auth_group_permissions_id_seq, account_emailaddress_id_seq,
    account_emailconfirmation_id_seq, mfa_authenticator_id_seq, usersessions_usersession_id_seq
TO tribute_app;
