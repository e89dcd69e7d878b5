-- audit_sequence: batches are numbered from 1 without a gap, their times never go back.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each batch that breaks this
WITH since AS (
    SELECT current_setting('ledger.audit_since')::bigint AS seq
)
SELECT format('batch %s stands in place %s', batch.seq, place) AS detail
  FROM (SELECT batch.seq,
               since.seq - (since.seq > 0)::int + row_number() OVER (ORDER BY batch.seq) AS place,
               posted_at < lag(posted_at) OVER (ORDER BY batch.seq) AS went_back
          FROM since, ledger_batch AS batch
         WHERE batch.seq >= since.seq) AS batch
 WHERE batch.seq <> place OR went_back;
