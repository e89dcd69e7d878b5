-- audit_running_balances: each line's balance is the line before it, plus credit, minus debit.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each line that breaks this
WITH since AS (
    SELECT current_setting('ledger.audit_since')::bigint AS seq
)
SELECT format('account %s after batch %s: %s micros too many', account_id, batch, excess) AS detail
  FROM (SELECT line.account_id, line.batch,
               line.balance_micros
                   - coalesce((SELECT anchor.balance_micros
                                 FROM ledger_line AS anchor
                                WHERE since.seq > 0
                                  AND anchor.account_id = line.account_id
                                  AND anchor.batch <= since.seq
                                ORDER BY anchor.batch DESC
                                LIMIT 1), 0)
                   - sum(line.credit_micros - line.debit_micros)
                         OVER (PARTITION BY line.account_id ORDER BY line.batch) AS excess
          FROM since
          JOIN ledger_line AS line ON line.batch > since.seq) AS line
 WHERE excess <> 0;
