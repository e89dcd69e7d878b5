-- read_api_key: the key with a public id, and the operator whose it is.
-- in    prefix text
-- out   none or one row: id, operator_id, creator_id and user_id uuid (one of them), prefix_id, digest,
--       scopes, name, created_at, expires_at, revoked_at and last_used_at of the key; then handle,
--       name and created_at of the operator, null where it is somebody else's
SELECT apikey.id, operator_id, creator_id, user_id, prefix_id, digest, scopes, apikey.name,
       apikey.created_at, expires_at, revoked_at, last_used_at,
       operator.handle, operator.name, operator.created_at
  FROM registry_apikey AS apikey
  LEFT JOIN registry_operator AS operator ON operator.id = operator_id
 WHERE prefix_id = %(prefix)s
