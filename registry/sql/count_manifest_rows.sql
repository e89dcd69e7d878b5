-- count_manifest_rows: how many rows of a manifest have each decision.
-- in    manifest uuid
-- out   decision, rows; ordered
SELECT decision, count(*)
  FROM registry_manifestrow
 WHERE manifest_id = %(manifest)s
 GROUP BY decision
 ORDER BY decision
