-- find_escrow_out_of_place: queries whose entry sets aside another amount than their contributions.
-- out   query uuid; set_aside and booked micros, over creators' disputed money and caps together
WITH aside AS (
    SELECT query_id, sum(micros) AS micros
      FROM attribution_contribution
     WHERE escrow <> ''
     GROUP BY query_id
    HAVING sum(micros) <> 0
), booked AS (
    -- Kinds of account: 4 a creator's disputed, 8 unclaimed.
    SELECT query.id AS query_id, sum(leg.micros) AS micros
      FROM attribution_query AS query
      JOIN ledger_entry AS entry ON entry.key = query.entry_key
     CROSS JOIN LATERAL unnest(entry.accounts, entry.amounts) AS leg (account_id, micros)
      JOIN ledger_account AS account ON account.id = leg.account_id
     WHERE account.kind IN (4, 8)
     GROUP BY query.id
)
SELECT coalesce(aside.query_id, booked.query_id) AS query,
       coalesce(aside.micros, 0) AS set_aside,
       coalesce(booked.micros, 0) AS booked
  FROM aside
  FULL JOIN booked ON booked.query_id = aside.query_id
 WHERE aside.micros IS DISTINCT FROM booked.micros
 ORDER BY 1;
