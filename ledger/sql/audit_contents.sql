-- audit_contents: each batch's content hash and figures, computed anew from its entries, are right.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each batch that breaks this
WITH portion AS (
    SELECT seq, batch_id FROM ledger_batch WHERE seq > current_setting('ledger.audit_since')::bigint
), content AS (
    SELECT entry.id >> 20 AS batch_id, count(*) AS n,
           sum(cardinality(entry.amounts)) AS legs,
           sha256(string_agg(ledger_entry_digest(id, key, kind, currency, accounts, amounts,
                                                 reverses, effective_at),
                             ''::bytea ORDER BY entry.id)) AS hash
      FROM ledger_entry AS entry
     WHERE entry.id >= (SELECT min(batch_id) << 20 FROM portion)
     GROUP BY entry.id >> 20
), volume AS (
    SELECT entry.id >> 20 AS batch_id, sum(leg.amount) AS micros
      FROM ledger_entry AS entry, unnest(entry.amounts) AS leg (amount)
     WHERE leg.amount > 0
       AND entry.id >= (SELECT min(batch_id) << 20 FROM portion)
     GROUP BY entry.id >> 20
)
SELECT format('batch %s', batch.seq) AS detail
  FROM ledger_batch AS batch
  LEFT JOIN content USING (batch_id)
  LEFT JOIN volume USING (batch_id)
 WHERE batch.seq > current_setting('ledger.audit_since')::bigint
   AND (batch.content_hash, batch.entries_count, batch.legs_count, batch.volume_micros)
        IS DISTINCT FROM (content.hash, content.n, content.legs, volume.micros);
