-- audit_sequence: batches are numbered from 1 without a gap, their times never go back.
-- out   detail text, one row for each batch that breaks this
SELECT format('batch %s stands in place %s', seq, place) AS detail
  FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS place,
               posted_at < lag(posted_at) OVER (ORDER BY seq) AS went_back
          FROM ledger_batch) AS batch
 WHERE seq <> place OR went_back;
