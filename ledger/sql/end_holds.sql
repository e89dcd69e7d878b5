-- end_holds: end holds that are still reserved; whoever comes second ends nothing.
-- in    keys uuid[n], settled bigint[n] (micros; zeros unless to = 'settled'), to text,
--       at timestamptz
-- out   key of each hold that ended now, left bigint (micros that were still held)
-- locks the holds, in order of id, until commit
WITH wanted AS (
    SELECT * FROM unnest(%(keys)s::uuid[], %(settled)s::bigint[]) AS asked (key, micros)
), locked AS MATERIALIZED (
    SELECT hold.id, wanted.micros,
           hold.amount_micros - hold.settled_micros - hold.returned_micros AS left_micros
      FROM ledger_hold AS hold
      JOIN wanted USING (key)
     ORDER BY hold.id
       FOR NO KEY UPDATE OF hold
)
UPDATE ledger_hold AS hold
   SET status = %(to)s, settled_micros = hold.settled_micros + locked.micros, ended_at = %(at)s
  FROM locked
 WHERE hold.id = locked.id
   AND hold.status = 'reserved'
RETURNING hold.key, locked.left_micros;
