-- find_own_works: which of many keys are those of works that a creator registered.
-- in    keys bytea[], in any order; creator uuid
-- out   key, work uuid; the oldest work of a key last
SELECT identifier.key, identifier.work_id
  FROM registry_identifier AS identifier
  JOIN registry_work AS work ON work.id = identifier.work_id
 WHERE identifier.key = ANY(%(keys)b::bytea[])
   AND work.registered_by_id = %(creator)s
 ORDER BY identifier.work_id DESC
