-- audit_running_balances: each line's balance is the line before it, plus credit, minus debit.
-- out   detail text, one row for each line that breaks this
SELECT format('account %s after batch %s: %s micros too many', account_id, batch, excess) AS detail
  FROM (SELECT account_id, batch,
               balance_micros - sum(credit_micros - debit_micros)
                   OVER (PARTITION BY account_id ORDER BY batch) AS excess
          FROM ledger_line) AS line
 WHERE excess <> 0;
