-- 0004_idempotent_requests: the service keeps and clears the record of requests.
GRANT SELECT, INSERT, UPDATE, DELETE ON registry_idempotentrequest TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE registry_idempotentrequest_id_seq TO tribute_app;
