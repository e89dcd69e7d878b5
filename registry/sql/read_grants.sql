-- read_grants: what an operator was granted, as it was known at an instant.
-- in    operator uuid, known timestamptz
-- out   id uuid, work_id, collection_id and creator_id uuid (one of them), purpose text,
--       effective_from and effective_until timestamptz; in no order
SELECT id, work_id, collection_id, creator_id, purpose, effective_from, effective_until
  FROM registry_grant
 WHERE operator_id = %(operator)s AND recorded_at <= %(known)s
