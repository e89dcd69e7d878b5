-- insert_near_duplicates: pair one indexed text with those that share most of its n-grams.
-- in    work uuid, its postings being in the index; least_ppm int: the overlap from which two
--       texts are near-duplicates, as shared n-grams against all n-grams of the two
-- out   nothing; pairs that were there already stay as they are
-- The caller lets one text in at a time, or two new copies would not see each other.
WITH own AS (
    SELECT hash FROM attribution_ngramposting WHERE work_id = %(work)s::uuid
), shared AS (
    SELECT posting.work_id, count(*) AS ngrams
      FROM own JOIN attribution_ngramposting AS posting USING (hash)
     WHERE posting.work_id <> %(work)s::uuid
     GROUP BY posting.work_id
    HAVING count(*) * 1000000 >= (SELECT count(*) FROM own) * %(least_ppm)s::bigint
), overlap AS (
    SELECT shared.work_id,
           shared.ngrams * 1000000 / (
               (SELECT count(*) FROM own)
               + (SELECT count(*) FROM attribution_ngramposting AS theirs
                   WHERE theirs.work_id = shared.work_id)
               - shared.ngrams
           ) AS ppm
      FROM shared
)
INSERT INTO attribution_nearduplicate (work_id, other_id, overlap_ppm)
SELECT %(work)s::uuid, work_id, ppm FROM overlap WHERE ppm >= %(least_ppm)s::bigint
    ON CONFLICT DO NOTHING;
