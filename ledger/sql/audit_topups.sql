-- audit_topups: a paid top-up's entry credits its operator with what the provider settled.
-- out   detail text, one row for each top-up that breaks this
SELECT format('top-up %s', topup.id) AS detail
  FROM ledger_topup AS topup
  LEFT JOIN ledger_entry AS entry ON entry.id = topup.entry_id
  LEFT JOIN ledger_account AS account
    ON account.operator_id = topup.operator_id
   AND account.kind = 1
   AND account.currency = topup.currency
 WHERE topup.status = 'paid'
   AND (entry.id IS NULL
        OR entry.currency <> topup.currency
        OR entry.amounts[array_position(entry.accounts, account.id)]
           IS DISTINCT FROM topup.settled_micros);
