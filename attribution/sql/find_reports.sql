-- find_reports: what is on record under some external ids.
-- in    operator uuid, external_ids text[]
-- out   external_id, query id (uuid), payload_digest bytea, state, reason
SELECT external_id, id, payload_digest, state, reason
  FROM attribution_query
 WHERE operator_id = %(operator)s::uuid AND external_id = ANY(%(external_ids)s::text[])
