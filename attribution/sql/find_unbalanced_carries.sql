-- find_unbalanced_carries: models whose rounding carries do not add up to zero.
-- out   model uuid, parts numeric
SELECT model_id AS model, sum(parts) AS parts
  FROM attribution_roundingcarry
 GROUP BY model_id
HAVING sum(parts) <> 0
 ORDER BY 1;
