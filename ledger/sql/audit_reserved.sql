-- audit_reserved: what is set aside for a creator is what the creator's payouts under way ask for.
-- out   detail text, one row for each creator and currency that breaks this
WITH under_way AS (
    SELECT creator_id, currency, sum(amount_micros) AS micros
      FROM ledger_payout
     WHERE status IN ('reserved', 'sending', 'unknown', 'held')
     GROUP BY creator_id, currency
), set_aside AS (
    SELECT account.creator_id, account.currency, balance.balance_micros AS micros
      FROM ledger_account AS account
      JOIN ledger_balance AS balance ON balance.account_id = account.id
     WHERE account.kind = 5
)
SELECT format('creator %s in currency %s: %s micros set aside, %s under way', creator_id, currency,
              coalesce(set_aside.micros, 0), coalesce(under_way.micros, 0)) AS detail
  FROM set_aside
  FULL JOIN under_way USING (creator_id, currency)
 WHERE coalesce(set_aside.micros, 0) <> coalesce(under_way.micros, 0);
