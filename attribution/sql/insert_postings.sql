-- insert_postings: put the n-grams of one text into the index, each once.
-- in    work uuid, hashes bigint[]
-- out   nothing; n-grams that were there already stay as they are
INSERT INTO attribution_ngramposting (hash, work_id)
SELECT DISTINCT hash, %(work)s::uuid
  FROM unnest(%(hashes)s::bigint[]) AS ngram (hash)
    ON CONFLICT DO NOTHING;
