-- mark_snapshot_changes: the same as take_snapshot_changes for more keys than anybody wants to be told.
-- in    seq bigint
-- locks those changes, until commit; later changes are rows of their own and wait for nobody
UPDATE registry_snapshotchange SET seq = %(seq)s WHERE seq IS NULL
