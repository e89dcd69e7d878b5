-- audit_limits: every account has a balance, inside the limits the account was opened with, and
-- every balance an account.
-- out   detail text, one row for each account that breaks this
SELECT format('account %s holds %s micros, limits %s to %s',
              coalesce(account.id, balance.account_id), balance.balance_micros,
              coalesce(account.min_balance_micros::text, 'none'),
              coalesce(account.max_balance_micros::text, 'none')) AS detail
  FROM ledger_account AS account
  FULL JOIN ledger_balance AS balance ON balance.account_id = account.id
 WHERE balance.account_id IS NULL
    OR account.id IS NULL
    OR (balance.currency, balance.min_balance_micros, balance.max_balance_micros)
       IS DISTINCT FROM (account.currency, account.min_balance_micros, account.max_balance_micros)
    OR balance.balance_micros < account.min_balance_micros
    OR balance.balance_micros > account.max_balance_micros;
