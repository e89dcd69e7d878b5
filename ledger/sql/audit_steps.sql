-- audit_steps: a payout is where the last step of its history led, and each step set out from the
-- one before.
-- out   detail text, one row for each payout that breaks this
WITH step AS (
    SELECT payout_id, id, from_status, to_status,
           lag(to_status, 1, 'planned') OVER history AS before,
           lead(id) OVER history AS following
      FROM ledger_payoutevent
    WINDOW history AS (PARTITION BY payout_id ORDER BY id)
)
SELECT format('payout %s is %s, its history says %s', payout.id, payout.status,
              coalesce(step.to_status, 'planned')) AS detail
  FROM ledger_payout AS payout
  LEFT JOIN step ON step.payout_id = payout.id AND step.following IS NULL
 WHERE payout.status <> coalesce(step.to_status, 'planned')
 UNION ALL
SELECT format('payout %s went from %s to %s after it had become %s', payout_id, from_status,
              to_status, before)
  FROM step
 WHERE from_status <> before OR NOT ledger_payout_may(from_status, to_status);
