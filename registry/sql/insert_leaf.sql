-- insert_leaf: write one leaf into the outbox of the log.
-- in    leaf and leaf_hash bytea, recorded_at timestamptz
INSERT INTO registry_logoutbox (leaf, leaf_hash, recorded_at)
VALUES (%(leaf)b, %(leaf_hash)b, %(recorded_at)s)
