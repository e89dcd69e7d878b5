-- insert_check: write one check with its answers, and its leaf into the outbox of the log.
-- in    every column: id uuid, operator uuid, purposes text[], asked_at and as_of timestamptz,
--       items_count int, request_digest, answers_root, salt, answers and leaf_hash bytea, log_size
--       bigint; leaf bytea
WITH leaf AS (
    INSERT INTO registry_logoutbox (leaf, leaf_hash, recorded_at)
    VALUES (%(leaf)b, %(leaf_hash)b, %(asked_at)s)
)
INSERT INTO registry_check (id, operator_id, purposes, asked_at, as_of, items_count, request_digest,
                            answers_root, salt, answers, log_size, leaf_hash)
VALUES (%(id)s, %(operator)s, %(purposes)s, %(asked_at)s, %(as_of)s, %(items_count)s,
        %(request_digest)b, %(answers_root)b, %(salt)b, %(answers)b, %(log_size)s, %(leaf_hash)b);
