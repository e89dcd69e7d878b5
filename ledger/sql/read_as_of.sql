-- read_as_of: an account's balance as it was recorded at an instant: two index probes.
-- in    account int, at timestamptz
-- out   balance_micros; no row when nothing had been recorded
SELECT line.balance_micros
  FROM ledger_line AS line
 WHERE line.account_id = %(account)s
   AND line.batch <= (SELECT max(batch.seq) FROM ledger_batch AS batch
                       WHERE batch.posted_at <= %(at)s)
 ORDER BY line.batch DESC
 LIMIT 1;
