-- read_near_copies: pairs of a manifest's allowed works that the index or a claim holds for
-- near-copies, and claims that one of them is a side of.
-- in    manifest uuid
-- out   work uuid, other uuid (16 bytes each); outcome text: of a claim, '' while it is open, NULL
--       for what the index found
WITH allowed AS MATERIALIZED (
    SELECT DISTINCT work_id FROM registry_manifestrow
     WHERE manifest_id = %(manifest)s::uuid AND work_id IS NOT NULL AND decision = 'allow'
)
SELECT uuid_send(work_id), uuid_send(other_id), NULL AS outcome
  FROM attribution_nearduplicate
 WHERE work_id IN (SELECT work_id FROM allowed) AND other_id IN (SELECT work_id FROM allowed)
 UNION ALL
SELECT uuid_send(work_id), uuid_send(other_id), outcome
  FROM registry_claimconflict
 WHERE work_id IN (SELECT work_id FROM allowed) OR other_id IN (SELECT work_id FROM allowed)
