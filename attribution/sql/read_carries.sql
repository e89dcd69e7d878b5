-- read_carries: what rounding of a model's tiny fees still owes.
-- in    model uuid, works uuid[] (as text)
-- out   work and creator uuid (16 bytes each, NULL for the remainder), parts bigint; no zeros
-- Joined, since an array that comes as text would be searched from its beginning for every row.
SELECT uuid_send(carry.work_id), uuid_send(carry.creator_id), carry.parts
  FROM unnest(%(works)s::text::uuid[]) AS wanted (work_id)
  JOIN attribution_roundingcarry AS carry
    ON carry.model_id = %(model)s::uuid AND carry.work_id = wanted.work_id
 WHERE carry.parts <> 0
 UNION ALL
SELECT NULL, NULL, parts
  FROM attribution_roundingcarry
 WHERE model_id = %(model)s::uuid AND work_id IS NULL AND parts <> 0
