-- read_decisions: everything a check has to know about many keys at once.
-- in    bytea[] keys, in any order; unknown ones are simply not in the answer
-- out   key, subject, subject_type, tier, specificity, statements (JSON text);
--       several rows a key, in no order
SELECT key, subject, subject_type, tier, specificity, statements::text
  FROM registry_decisionindex
 WHERE key = ANY(%b::bytea[])
