-- read_set_asides: what waits for a subject now, an account at a time.
-- in    kind smallint (of accounts: disputed or unclaimed), subject text,
--       through bigint (nothing with a higher id; null: all)
-- out   account_id int, currency smallint, count bigint, micros bigint, last bigint (the highest id),
--       digest bytea (SHA-256 of each booking's id and amount), one row an account, in its order
SELECT aside.account_id, aside.currency, count(*), sum(aside.amount_micros)::bigint, max(aside.id),
       sha256(convert_to(
           string_agg(format('%%s:%%s', aside.id, aside.amount_micros), ',' ORDER BY aside.id),
           'UTF8'))
  FROM ledger_setaside AS aside
  JOIN ledger_account AS account ON account.id = aside.account_id
 WHERE aside.subject = %(subject)s
   AND aside.released_at IS NULL
   AND (%(through)s::bigint IS NULL OR aside.id <= %(through)s::bigint)
   AND account.kind = %(kind)s
 GROUP BY aside.account_id, aside.currency
 ORDER BY aside.account_id;
