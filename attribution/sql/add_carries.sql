-- add_carries: add what rounding a model's tiny fees took from whom.
-- in    model uuid; works uuid[n] and creators uuid[n] as text (both NULL for the remainder),
--       parts bigint[n]
-- out   nothing
-- locks the rows added to; the caller holds the model's row, so that nobody waits in a circle
INSERT INTO attribution_roundingcarry AS carry (model_id, work_id, creator_id, parts)
SELECT %(model)s::uuid, change.work_id, change.creator_id, change.parts
  FROM unnest(
           %(works)s::text::uuid[], %(creators)s::text::uuid[], %(parts)b::bigint[]
       )
       AS change (work_id, creator_id, parts)
    ON CONFLICT (model_id, work_id, creator_id) DO UPDATE SET parts = carry.parts + EXCLUDED.parts;
