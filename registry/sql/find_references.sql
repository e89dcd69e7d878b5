-- find_references: which of many names a creator has given to works.
-- in    references text[], in any order; creator uuid
-- out   reference, work uuid, digest of the row that gave it
SELECT reference, work_id, digest
  FROM registry_workreference
 WHERE creator_id = %(creator)s AND reference = ANY(%(references)s::text[])
