-- audit_holds: what lies on a reserved account is what the holds that go on hold there.
-- out   detail text, one row for each account that breaks this
WITH held AS (
    SELECT reserved_id AS account_id, sum(amount_micros - settled_micros - returned_micros) AS micros
      FROM ledger_hold
     WHERE status = 'reserved'
     GROUP BY reserved_id
), reserved AS (
    SELECT account.id AS account_id, balance.balance_micros AS micros
      FROM ledger_account AS account
      JOIN ledger_balance AS balance ON balance.account_id = account.id
     WHERE account.kind IN (12, 13)
)
SELECT format('account %s: %s micros reserved, %s held', account_id,
              coalesce(reserved.micros, 0), coalesce(held.micros, 0)) AS detail
  FROM reserved
  FULL JOIN held USING (account_id)
 WHERE coalesce(reserved.micros, 0) <> coalesce(held.micros, 0);
