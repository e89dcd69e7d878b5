-- 0009_served_snapshots: let web processes answer from a snapshot and what changed since.
-- changed_in tells a process which changes it has not seen: those of transactions that were not over
-- when it last looked. Numbers would not do, since they are not given in the order of commits.

ALTER TABLE registry_snapshotchange
    ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX snapshot_change_changed_in ON registry_snapshotchange (changed_in);

-- Answers come compressed: squeezing them once more would only cost time.
ALTER TABLE registry_check ALTER COLUMN answers SET STORAGE EXTERNAL;
