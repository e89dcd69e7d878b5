-- find_candidates: which works of a manifest contain these n-grams.
-- in    hashes bigint[] (distinct), manifest uuid,
--       scan int: an n-gram is looked for in the first so many texts that contain it, in the
--       order of their registration, so that a flood of later copies hides nobody
-- out   hash bigint, work_id uuid
SELECT wanted.hash, posting.work_id
  FROM unnest(%(hashes)s::bigint[]) AS wanted (hash)
 CROSS JOIN LATERAL (
       SELECT work_id
         FROM attribution_ngramposting
        WHERE hash = wanted.hash
        ORDER BY work_id
        LIMIT %(scan)s
       ) AS posting
 WHERE EXISTS (
       SELECT FROM registry_manifestrow AS row
        WHERE row.work_id = posting.work_id AND row.manifest_id = %(manifest)s::uuid
       );
