-- read_statement: what happened on an owner's accounts in a period, a line a batch.
-- in    owner uuid (of a creator or operator), from and until timestamptz (until excluded)
-- out   account kind, currency, recorded_at, entry kinds smallint[], credit_micros, debit_micros,
--       balance_micros, batch, ids of the first and last entry; ordered by currency, kind, batch
-- Batches are numbered in order of time, so that the period is a range of them, and only the
-- period's lines are read, however long the account's history is.
WITH span AS (
    SELECT (SELECT seq FROM ledger_batch WHERE posted_at >= %(from)s
             ORDER BY posted_at, seq LIMIT 1) AS first,
           (SELECT seq FROM ledger_batch WHERE posted_at < %(until)s
             ORDER BY posted_at DESC, seq DESC LIMIT 1) AS last
)
SELECT account.kind, account.currency, batch.posted_at,
       behind.kinds, line.credit_micros, line.debit_micros, line.balance_micros, batch.seq,
       behind.first, behind.last
  FROM span
  JOIN ledger_account AS account ON account.owner = %(owner)s
  JOIN ledger_line AS line
    ON line.account_id = account.id AND line.batch BETWEEN span.first AND span.last
  JOIN ledger_batch AS batch ON batch.seq = line.batch
 CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT entry.kind) AS kinds, min(entry.id) AS first, max(entry.id) AS last
          FROM ledger_entry AS entry
         WHERE entry.id >= batch.batch_id << 20
           AND entry.id < (batch.batch_id + 1) << 20
           AND account.id = ANY (entry.accounts)) AS behind
 ORDER BY account.currency, account.kind, batch.seq;
