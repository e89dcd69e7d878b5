-- find_holds_unlike_queries: holds of operators' money that are not what accepted queries owe.
-- A hold that goes on has left what its waiting queries owe, and paid what its settled ones did;
-- only one that expired, or was broken for a payer who took money back, leaves queries waiting.
-- out   hold uuid, what text, held and owed micros
WITH owed AS (
    SELECT hold_id,
           coalesce(sum(fee_micros) FILTER (WHERE state = 'received'), 0) AS waiting,
           coalesce(sum(fee_micros) FILTER (WHERE state = 'parked'), 0) AS parked
      FROM attribution_query
     WHERE hold_id IS NOT NULL
     GROUP BY hold_id
), paid AS (
    -- Kind of account 12: an operator's reserved money. Other queries were paid from prepaid.
    SELECT query.hold_id, sum(query.fee_micros) AS micros
      FROM attribution_query AS query
      JOIN ledger_entry AS entry ON entry.key = query.entry_key
      JOIN ledger_account AS account ON account.id = ANY (entry.accounts) AND account.kind = 12
     WHERE query.hold_id IS NOT NULL
     GROUP BY query.hold_id
), held AS (
    SELECT hold.key, hold.status, hold.settled_micros,
           hold.amount_micros - hold.settled_micros - hold.returned_micros AS left_micros
      FROM ledger_hold AS hold
      JOIN ledger_account AS account ON account.id = hold.reserved_id
     WHERE account.kind = 12 AND hold.in_parts
)
SELECT held.key AS hold, 'left' AS what, left_micros AS held, coalesce(waiting, 0) AS owed
  FROM held
  LEFT JOIN owed ON owed.hold_id = held.key
 WHERE CASE held.status
       WHEN 'reserved' THEN left_micros <> coalesce(waiting, 0)
       WHEN 'settled' THEN coalesce(waiting, 0) <> 0
       ELSE false
       END
 UNION ALL
SELECT held.key, 'paid', settled_micros, coalesce(paid.micros, 0)
  FROM held
  LEFT JOIN paid ON paid.hold_id = held.key
 WHERE settled_micros <> coalesce(paid.micros, 0)
 UNION ALL
SELECT hold_id, 'parked', 0, parked
  FROM owed
 WHERE parked <> 0
 ORDER BY 1, 2;
