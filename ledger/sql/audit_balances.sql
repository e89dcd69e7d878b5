-- audit_balances: every balance is the sum of all its account's legs.
-- out   detail text, one row for each account that breaks this
WITH total AS (
    SELECT leg.account, entry.currency, sum(leg.amount) AS micros, count(*) AS n
      FROM ledger_entry AS entry, unnest(entry.accounts, entry.amounts) AS leg (account, amount)
     GROUP BY leg.account, entry.currency
)
SELECT format('account %s holds %s micros after %s legs; its legs are %s adding up to %s',
              coalesce(balance.account_id, total.account), balance.balance_micros,
              balance.legs_count, coalesce(total.n, 0), coalesce(total.micros, 0)) AS detail
  FROM ledger_balance AS balance
  FULL JOIN total
    ON total.account = balance.account_id AND total.currency = balance.currency
 WHERE balance.balance_micros IS DISTINCT FROM coalesce(total.micros, 0)
    OR balance.legs_count IS DISTINCT FROM coalesce(total.n, 0);
