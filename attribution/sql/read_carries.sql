-- read_carries: what rounding of a model's tiny fees still owes.
-- in    model uuid, works uuid[] (as text)
-- out   work and creator uuid (16 bytes each, NULL for the remainder), parts bigint; no zeros
SELECT uuid_send(work_id), uuid_send(creator_id), parts
  FROM attribution_roundingcarry
 WHERE model_id = %(model)s::uuid AND work_id = ANY(%(works)s::text::uuid[]) AND parts <> 0
 UNION ALL
SELECT NULL, NULL, parts
  FROM attribution_roundingcarry
 WHERE model_id = %(model)s::uuid AND work_id IS NULL AND parts <> 0
