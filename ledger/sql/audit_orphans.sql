-- audit_orphans: every entry lies in a sealed batch.
-- out   detail text, one row for each entry that breaks this
SELECT format('entry %s', entry.id) AS detail
  FROM ledger_entry AS entry
  LEFT JOIN ledger_batch AS batch ON batch.batch_id = entry.id >> 20
 WHERE batch.seq IS NULL;
