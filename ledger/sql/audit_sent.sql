-- audit_sent: what the books say was sent to a creator and came back is what its payouts say.
-- in    setting ledger.audit_since: reads all entries, so only a whole audit (0) asks
-- out   detail text, one row for each creator and currency that breaks this
WITH posted AS (
    SELECT account.creator_id, entry.currency,
           coalesce(-sum(leg.amount) FILTER (WHERE entry.kind = 5), 0) AS sent,
           coalesce(sum(leg.amount) FILTER (WHERE entry.kind = 7), 0) AS returned
      FROM ledger_entry AS entry, unnest(entry.accounts, entry.amounts) AS leg (account, amount)
      JOIN ledger_account AS account ON account.id = leg.account
     WHERE entry.kind IN (5, 7)
       AND account.creator_id IS NOT NULL
     GROUP BY account.creator_id, entry.currency
), said AS (
    SELECT creator_id, currency, sum(amount_micros) AS sent, sum(reversed_micros) AS returned
      FROM ledger_payout
     WHERE status IN ('transferred', 'in_transit', 'paid', 'bank_failed', 'reversed')
     GROUP BY creator_id, currency
)
SELECT format('creator %s in currency %s: %s micros sent and %s returned, its payouts say %s and %s',
              creator_id, currency, coalesce(posted.sent, 0), coalesce(posted.returned, 0),
              coalesce(said.sent, 0), coalesce(said.returned, 0)) AS detail
  FROM posted
  FULL JOIN said USING (creator_id, currency)
 WHERE current_setting('ledger.audit_since') = '0'
   AND (coalesce(posted.sent, 0), coalesce(posted.returned, 0))
       <> (coalesce(said.sent, 0), coalesce(said.returned, 0));
