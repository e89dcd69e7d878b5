-- insert_carries: keep what rounding a model's tiny fees took from payees who had no carry.
-- in    model uuid; works and creators uuid[n], parts bigint[n]; remainder bigint or NULL
-- out   nothing; the caller holds the model's row, and so knows who had none
INSERT INTO attribution_roundingcarry (model_id, work_id, creator_id, parts)
SELECT %(model)s::uuid, change.work_id, change.creator_id, change.parts
  FROM unnest(%(works)b::uuid[], %(creators)b::uuid[], %(parts)b::bigint[])
       AS change (work_id, creator_id, parts)
 UNION ALL
SELECT %(model)s::uuid, NULL, NULL, %(remainder)s::bigint
 WHERE %(remainder)s::bigint IS NOT NULL;
