-- audit_returns: a payment's returns took from the books what they say, and never more in all than
-- was paid in.
-- out   detail text, one row for each return or top-up that breaks this
SELECT format('return %s of top-up %s', returned.number, returned.topup_id) AS detail
  FROM ledger_paymentreturn AS returned
 WHERE returned.amount_micros IS DISTINCT FROM (
        SELECT sum(leg.amount)
          FROM ledger_entry AS entry,
               unnest(entry.accounts, entry.amounts) AS leg (account, amount)
          JOIN ledger_account AS account ON account.id = leg.account
         WHERE entry.id = ANY (returned.entry_ids)
           AND account.kind = 11)
 UNION ALL
SELECT format('top-up %s returned %s of %s micros', topup.id, sum(returned.amount_micros),
              topup.settled_micros)
  FROM ledger_topup AS topup
  JOIN ledger_paymentreturn AS returned ON returned.topup_id = topup.id
 GROUP BY topup.id
HAVING sum(returned.amount_micros) NOT BETWEEN 0 AND topup.settled_micros;
