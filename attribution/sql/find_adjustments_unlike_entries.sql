-- find_adjustments_unlike_entries: corrections whose adjustments are not what was booked.
-- out   query uuid, creator uuid (NULL: the remainder), adjusted and booked micros
WITH adjusted AS (
    SELECT result_id, creator_id, sum(micros + borne_micros) AS micros
      FROM attribution_adjustment
     GROUP BY 1, 2
    HAVING sum(micros + borne_micros) <> 0
), booked AS (
    -- Kinds of account: 2 a creator's pending, 6 pool, 7 unattributed, 14 a creator's debt.
    SELECT result.id AS result_id, account.creator_id, sum(leg.micros) AS micros
      FROM attribution_shadowresult AS result
      JOIN ledger_entry AS entry ON entry.key = result.entry_key
     CROSS JOIN LATERAL unnest(entry.accounts, entry.amounts) AS leg (account_id, micros)
      JOIN ledger_account AS account ON account.id = leg.account_id
     WHERE account.kind IN (2, 6, 7, 14)
     GROUP BY result.id, account.creator_id
), unlike AS (
    SELECT coalesce(adjusted.result_id, booked.result_id) AS result_id,
           coalesce(adjusted.creator_id, booked.creator_id) AS creator,
           coalesce(adjusted.micros, 0) AS adjusted,
           coalesce(booked.micros, 0) AS booked
      FROM adjusted
      FULL JOIN booked
        ON booked.result_id = adjusted.result_id
       AND coalesce(booked.creator_id, '00000000-0000-0000-0000-000000000000')
         = coalesce(adjusted.creator_id, '00000000-0000-0000-0000-000000000000')
     WHERE adjusted.micros IS DISTINCT FROM booked.micros
)
SELECT result.query_id AS query, unlike.creator, unlike.adjusted, unlike.booked
  FROM unlike
  JOIN attribution_shadowresult AS result ON result.id = unlike.result_id
 ORDER BY 1, 2;
