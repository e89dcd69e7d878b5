-- release_set_asides: what waits for a subject is released now, once.
-- in    kind smallint (of accounts: disputed or unclaimed), subject text, at timestamptz,
--       cutoff timestamptz (set aside until then: the holding period is over),
--       through bigint (nothing with a higher id; null: all)
-- out   account_id int, currency smallint, matured bigint and young bigint (micros),
--       last bigint (the highest id released), one row an account, in its order
-- locks the rows, in order of id, until commit
WITH waiting AS MATERIALIZED (
    SELECT aside.id
      FROM ledger_setaside AS aside
      JOIN ledger_account AS account ON account.id = aside.account_id
     WHERE aside.subject = %(subject)s
       AND aside.released_at IS NULL
       AND (%(through)s::bigint IS NULL OR aside.id <= %(through)s::bigint)
       AND account.kind = %(kind)s
     ORDER BY aside.id
       FOR NO KEY UPDATE OF aside
), released AS (
    UPDATE ledger_setaside AS aside
       SET released_at = %(at)s
      FROM waiting
     WHERE aside.id = waiting.id
       AND aside.released_at IS NULL
    RETURNING aside.id, aside.account_id, aside.currency, aside.amount_micros, aside.set_aside_at
)
SELECT account_id, currency,
       coalesce(sum(amount_micros) FILTER (WHERE set_aside_at <= %(cutoff)s), 0)::bigint,
       coalesce(sum(amount_micros) FILTER (WHERE set_aside_at > %(cutoff)s), 0)::bigint,
       max(id)
  FROM released
 GROUP BY account_id, currency
 ORDER BY account_id;
