-- read_limits: balances with their limits; exact while the caller holds the lane.
-- in    accounts int[n]
-- out   account_id, balance_micros, min_balance_micros, max_balance_micros of those that exist
SELECT account_id, balance_micros, min_balance_micros, max_balance_micros
  FROM ledger_balance
 WHERE account_id = ANY (%(accounts)s::int[]);
