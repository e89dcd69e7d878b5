-- count_snapshot_changes: how many changes no release shows yet.
-- in    most int
-- out   bigint, never above most
SELECT count(*) FROM (
    SELECT FROM registry_snapshotchange WHERE seq IS NULL LIMIT %(most)s
) AS change
