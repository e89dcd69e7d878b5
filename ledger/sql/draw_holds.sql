-- draw_holds: take parts of holds that go on; one of which nothing is left ends.
-- in    keys uuid[n] (distinct), settled bigint[n] and returned bigint[n] (micros >= 0: paid out,
--       given back), at timestamptz
-- out   key, source_id and reserved_id of each hold drawn on; the others had ended
-- locks the holds, in order of id, until commit
WITH wanted AS (
    SELECT *
      FROM unnest(%(keys)s::uuid[], %(settled)s::bigint[], %(returned)s::bigint[])
           AS asked (key, settled, returned)
), drawn AS MATERIALIZED (
    SELECT hold.id,
           hold.settled_micros + wanted.settled AS settled,
           hold.returned_micros + wanted.returned AS returned,
           hold.amount_micros <= hold.settled_micros + wanted.settled
                                 + hold.returned_micros + wanted.returned AS ends
      FROM ledger_hold AS hold
      JOIN wanted USING (key)
     WHERE hold.in_parts
     ORDER BY hold.id
       FOR NO KEY UPDATE OF hold
)
UPDATE ledger_hold AS hold
   SET settled_micros = drawn.settled,
       returned_micros = drawn.returned,
       status = CASE
           WHEN NOT drawn.ends THEN 'reserved'
           WHEN drawn.settled > 0 THEN 'settled'
           ELSE 'released'
       END,
       ended_at = CASE WHEN drawn.ends THEN %(at)s::timestamptz END
  FROM drawn
 WHERE hold.id = drawn.id
   AND hold.status = 'reserved'
RETURNING hold.key, hold.source_id, hold.reserved_id;
