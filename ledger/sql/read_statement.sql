-- read_statement: what happened on a creator's accounts in a period, a line a batch.
-- in    creator uuid, from and until timestamptz (until excluded)
-- out   account kind, currency, recorded_at, entry kinds smallint[], credit_micros, debit_micros,
--       balance_micros, batch, ids of the first and last entry; ordered by currency, kind, batch
SELECT account.kind, account.currency, batch.posted_at,
       behind.kinds, line.credit_micros, line.debit_micros, line.balance_micros, batch.seq,
       behind.first, behind.last
  FROM ledger_account AS account
  JOIN ledger_line AS line ON line.account_id = account.id
  JOIN ledger_batch AS batch ON batch.seq = line.batch
 CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT entry.kind) AS kinds, min(entry.id) AS first, max(entry.id) AS last
          FROM ledger_entry AS entry
         WHERE entry.id >= batch.batch_id << 20
           AND entry.id < (batch.batch_id + 1) << 20
           AND account.id = ANY (entry.accounts)) AS behind
 WHERE account.creator_id = %(creator)s
   AND batch.posted_at >= %(from)s
   AND batch.posted_at < %(until)s
 ORDER BY account.currency, account.kind, batch.seq;
