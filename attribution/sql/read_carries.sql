-- read_carries: what rounding of a model's tiny fees still owes.
-- in    model uuid; works and creators uuid[n]: payees
-- out   place bigint: a payee's, from 1, or 0 for the remainder; parts bigint; no row for whom
--       nothing was ever carried
SELECT wanted.place, carry.parts
  FROM unnest(%(works)b::uuid[], %(creators)b::uuid[]) WITH ORDINALITY
       AS wanted (work_id, creator_id, place)
  JOIN attribution_roundingcarry AS carry
    ON carry.model_id = %(model)s::uuid
   AND carry.work_id = wanted.work_id
   AND carry.creator_id = wanted.creator_id
 UNION ALL
SELECT 0, parts
  FROM attribution_roundingcarry
 WHERE model_id = %(model)s::uuid AND work_id IS NULL
