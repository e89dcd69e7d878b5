-- audit_heads: every batch whose hash was published still has that hash.
-- out   detail text, one row for each published head that breaks this
SELECT format('batch %s was published with another hash', head.seq) AS detail
  FROM ledger_publishedhead AS head
  LEFT JOIN ledger_batch AS batch USING (seq)
 WHERE batch.hash IS DISTINCT FROM head.hash;
