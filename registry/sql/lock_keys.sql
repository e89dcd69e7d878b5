-- lock_keys: make everybody who rewrites these keys' decisions take turns, until commit.
-- in    exclusive bigint[], shared bigint[]: sorted by the caller, so that two callers meet in
--       the same order and do not wait for each other in a circle
SELECT CASE WHEN lock.exclusive
            THEN pg_advisory_xact_lock(lock.id)
            ELSE pg_advisory_xact_lock_shared(lock.id) END
  FROM (SELECT id, bool_or(exclusive) AS exclusive
          FROM (SELECT unnest(%(exclusive)s::bigint[]) AS id, true AS exclusive
                UNION ALL
                SELECT unnest(%(shared)s::bigint[]), false) AS wanted
         GROUP BY id
         ORDER BY id) AS lock
