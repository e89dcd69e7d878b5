-- audit_chain: each batch's hash, computed anew, is right, and names the batch before it.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each batch that breaks this
SELECT format('batch %s', batch.seq) AS detail
  FROM ledger_batch AS batch
  LEFT JOIN ledger_batch AS previous ON previous.seq = batch.seq - 1
 WHERE batch.seq > current_setting('ledger.audit_since')::bigint
   AND (batch.previous_hash IS DISTINCT FROM coalesce(previous.hash, ledger_genesis())
    OR batch.hash IS DISTINCT FROM ledger_batch_digest(batch));
