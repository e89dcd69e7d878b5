-- change_carries: add what rounding a model's tiny fees took from payees who have a carry.
-- in    model uuid; works and creators uuid[n], parts bigint[n]; remainder bigint or NULL
-- out   nothing
-- locks the rows changed; the caller holds the model's row, so that nobody waits in a circle
WITH remainder AS (
    UPDATE attribution_roundingcarry
       SET parts = parts + %(remainder)s::bigint
     WHERE model_id = %(model)s::uuid AND work_id IS NULL AND %(remainder)s::bigint IS NOT NULL
)
UPDATE attribution_roundingcarry AS carry
   SET parts = carry.parts + change.parts
  FROM unnest(%(works)b::uuid[], %(creators)b::uuid[], %(parts)b::bigint[])
       AS change (work_id, creator_id, parts)
 WHERE carry.model_id = %(model)s::uuid
   AND carry.work_id = change.work_id
   AND carry.creator_id = change.creator_id;
