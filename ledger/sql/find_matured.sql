-- find_matured: pending money whose holding period is over, first in first out.
-- What an account held at the cutoff, less everything taken from it since, has been there for
-- the whole period: later credits are younger, and debits take the oldest first.
-- in    kind smallint (of pending accounts), cutoff timestamptz, limit int
-- out   account_id, creator_id uuid, currency, micros > 0, last_batch that touched the account
WITH cutoff AS (
    SELECT coalesce(max(seq), 0) AS seq FROM ledger_batch WHERE posted_at <= %(cutoff)s
)
SELECT account.id, account.creator_id, account.currency, held.balance_micros - taken.micros,
       balance.last_batch
  FROM cutoff, ledger_account AS account
  JOIN ledger_balance AS balance ON balance.account_id = account.id
 CROSS JOIN LATERAL (
        SELECT balance_micros FROM ledger_line
         WHERE account_id = account.id AND batch <= cutoff.seq
         ORDER BY batch DESC LIMIT 1) AS held
 CROSS JOIN LATERAL (
        SELECT coalesce(sum(debit_micros), 0)::bigint AS micros FROM ledger_line
         WHERE account_id = account.id AND batch > cutoff.seq) AS taken
 WHERE account.kind = %(kind)s
   AND held.balance_micros > taken.micros
 ORDER BY account.id
 LIMIT %(limit)s;
