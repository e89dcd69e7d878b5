-- audit_approvals: no payout went past its plan without a second person's approval of its batch,
-- and the lines of a submitted batch are those that were submitted.
-- out   detail text, one row for each batch that breaks this
SELECT format('batch %s', batch.id) AS detail
  FROM ledger_payoutbatch AS batch
 WHERE (EXISTS (SELECT FROM ledger_payout AS payout
                 WHERE payout.batch_id = batch.id
                   AND payout.status NOT IN ('planned', 'canceled'))
        AND (batch.approved_by_id IS NULL
             OR batch.approved_by_id IN (batch.prepared_by_id, batch.submitted_by_id)))
    OR batch.lines_digest <> ledger_payout_lines_digest(batch.id);
