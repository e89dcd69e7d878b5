-- audit_orphans: every entry lies in a sealed batch.
-- in    setting ledger.audit_since: batches after this one, and everything when it is 0
-- out   detail text, one row for each entry that breaks this
WITH portion AS (
    SELECT min(batch_id) << 20 AS first
      FROM ledger_batch
     WHERE seq > current_setting('ledger.audit_since')::bigint
)
SELECT format('entry %s', entry.id) AS detail
  FROM ledger_entry AS entry
  LEFT JOIN ledger_batch AS batch ON batch.batch_id = entry.id >> 20
 WHERE batch.seq IS NULL
   AND (current_setting('ledger.audit_since') = '0'
        OR entry.id >= (SELECT first FROM portion));
