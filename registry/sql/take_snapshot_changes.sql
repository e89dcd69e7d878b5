-- take_snapshot_changes: mark every change that no release shows yet as shown by this one.
-- in    seq bigint
-- out   key bytea, once for each change
-- locks those changes, until commit; later changes are rows of their own and wait for nobody
UPDATE registry_snapshotchange SET seq = %(seq)s WHERE seq IS NULL RETURNING key
