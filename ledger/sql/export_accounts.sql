-- export_accounts: every account with its balance, in order of number.
-- out   the columns of book_files.SCHEMAS["accounts"]
SELECT account.id, account.kind, account.currency, uuid_send(account.operator_id),
       uuid_send(account.creator_id), account.min_balance_micros, account.max_balance_micros,
       account.opened_at, balance.balance_micros
  FROM ledger_account AS account
  JOIN ledger_balance AS balance ON balance.account_id = account.id
 ORDER BY account.id;
