-- export_batches: every sealed batch, in order.
-- out   the columns of book_files.SCHEMAS["batches"]
SELECT seq, batch_id, entries_count, legs_count, volume_micros, content_hash, accounts_hash,
       previous_hash, hash, posted_at
  FROM ledger_batch
 ORDER BY seq;
