-- audit_balances: every balance is the sum of all its account's legs, or, for an audit of what is
-- new, what its account's last line says.
-- in    setting ledger.audit_since: 0 to add up all legs, else only the lines are asked
-- out   detail text, one row for each account that breaks this
WITH total AS (
    SELECT leg.account, entry.currency, sum(leg.amount) AS micros, count(*) AS n
      FROM ledger_entry AS entry, unnest(entry.accounts, entry.amounts) AS leg (account, amount)
     WHERE current_setting('ledger.audit_since') = '0'
     GROUP BY leg.account, entry.currency
)
SELECT format('account %s holds %s micros after %s legs; its legs are %s adding up to %s',
              coalesce(balance.account_id, total.account), balance.balance_micros,
              balance.legs_count, coalesce(total.n, 0), coalesce(total.micros, 0)) AS detail
  FROM ledger_balance AS balance
  FULL JOIN total
    ON total.account = balance.account_id AND total.currency = balance.currency
 WHERE current_setting('ledger.audit_since') = '0'
   AND (balance.balance_micros IS DISTINCT FROM coalesce(total.micros, 0)
        OR balance.legs_count IS DISTINCT FROM coalesce(total.n, 0))
 UNION ALL
SELECT format('account %s holds %s micros, its last line says %s', balance.account_id,
              balance.balance_micros, coalesce(last.micros, 0))
  FROM ledger_balance AS balance
  LEFT JOIN LATERAL (
        SELECT line.balance_micros AS micros
          FROM ledger_line AS line
         WHERE line.account_id = balance.account_id
         ORDER BY line.batch DESC
         LIMIT 1) AS last ON true
 WHERE current_setting('ledger.audit_since') <> '0'
   AND balance.balance_micros IS DISTINCT FROM coalesce(last.micros, 0);
