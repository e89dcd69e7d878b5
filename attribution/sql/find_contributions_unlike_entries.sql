-- find_contributions_unlike_entries: queries whose contributions are not what was booked.
-- out   query uuid, creator uuid (NULL: the remainder), contributed and booked micros
WITH contributed AS (
    -- What passed a cap waits for its review in nobody's name.
    SELECT query_id, CASE escrow WHEN 'cap' THEN NULL ELSE creator_id END AS creator_id,
           sum(micros) AS micros
      FROM attribution_contribution
     GROUP BY 1, 2
    HAVING sum(micros) <> 0
), booked AS (
    -- Kinds of account: 2 a creator's pending, 4 disputed, 6 pool, 7 unattributed, 8 unclaimed.
    SELECT query.id AS query_id, account.creator_id, sum(leg.micros) AS micros
      FROM attribution_query AS query
      JOIN ledger_entry AS entry ON entry.key = query.entry_key
     CROSS JOIN LATERAL unnest(entry.accounts, entry.amounts) AS leg (account_id, micros)
      JOIN ledger_account AS account ON account.id = leg.account_id
     WHERE account.kind IN (2, 4, 6, 7, 8)
     GROUP BY query.id, account.creator_id
)
SELECT coalesce(contributed.query_id, booked.query_id) AS query,
       coalesce(contributed.creator_id, booked.creator_id) AS creator,
       coalesce(contributed.micros, 0) AS contributed,
       coalesce(booked.micros, 0) AS booked
  FROM contributed
  FULL JOIN booked
    ON booked.query_id = contributed.query_id
   AND coalesce(booked.creator_id, '00000000-0000-0000-0000-000000000000')
     = coalesce(contributed.creator_id, '00000000-0000-0000-0000-000000000000')
 WHERE contributed.micros IS DISTINCT FROM booked.micros
 ORDER BY 1, 2;
