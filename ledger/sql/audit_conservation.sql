-- audit_conservation: in each currency all balances together are zero.
-- out   detail text, one row for each currency that breaks this
SELECT format('balances in currency %s add up to %s micros', currency, sum(balance_micros)) AS detail
  FROM ledger_balance
 GROUP BY currency
HAVING sum(balance_micros) <> 0;
