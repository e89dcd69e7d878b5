-- audit_set_asides: what lies on disputed and unclaimed accounts is on record, with its subject.
-- out   detail text, one row for each account that breaks this
WITH waiting AS (
    SELECT account_id, sum(amount_micros) AS micros
      FROM ledger_setaside
     WHERE released_at IS NULL
     GROUP BY account_id
), held AS (
    SELECT account.id AS account_id, balance.balance_micros AS micros
      FROM ledger_account AS account
      JOIN ledger_balance AS balance ON balance.account_id = account.id
     WHERE account.kind IN (4, 8)
)
SELECT format('account %s holds %s micros, %s are on record', account_id,
              coalesce(held.micros, 0), coalesce(waiting.micros, 0)) AS detail
  FROM held
  FULL JOIN waiting USING (account_id)
 WHERE coalesce(held.micros, 0) <> coalesce(waiting.micros, 0);
