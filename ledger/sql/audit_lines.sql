-- audit_lines: each line is the sum of its account's legs in its batch, and no line is missing.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each account and batch that breaks this
WITH portion AS (
    SELECT seq, batch_id FROM ledger_batch WHERE seq > current_setting('ledger.audit_since')::bigint
), total AS (
    SELECT batch.seq, leg.account, entry.currency, count(*) AS n,
           coalesce(-sum(leg.amount) FILTER (WHERE leg.amount < 0), 0) AS debit,
           coalesce(sum(leg.amount) FILTER (WHERE leg.amount > 0), 0) AS credit
      FROM ledger_entry AS entry
      JOIN portion AS batch ON batch.batch_id = entry.id >> 20,
           unnest(entry.accounts, entry.amounts) AS leg (account, amount)
     WHERE entry.id >= (SELECT min(batch_id) << 20 FROM portion)
     GROUP BY batch.seq, leg.account, entry.currency
)
SELECT format('account %s in batch %s', coalesce(line.account_id, total.account),
              coalesce(line.batch, total.seq)) AS detail
  FROM (SELECT * FROM ledger_line WHERE batch > current_setting('ledger.audit_since')::bigint) AS line
  FULL JOIN total ON total.seq = line.batch AND total.account = line.account_id
 WHERE (line.currency, line.legs_count, line.debit_micros, line.credit_micros)
       IS DISTINCT FROM (total.currency, total.n, total.debit, total.credit);
