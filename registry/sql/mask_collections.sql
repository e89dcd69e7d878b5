-- mask_collections: take the names out of a creator's places, and leave their keys and their shape.
-- in    creator uuid
-- out   nothing; what is masked already stays as it is
-- locks the rows, until commit
UPDATE registry_collection
   SET canonical = CASE kind
       WHEN 'path' THEN
           'erased:' || encode(sha256(
               '\x04'::bytea || convert_to(split_part(canonical, '/', 1), 'UTF8')), 'hex')
           || regexp_replace(
               substr(canonical, length(split_part(canonical, '/', 1)) + 1), '[^/]+', 'x', 'g')
       ELSE regexp_replace(canonical, '[^.:]+', 'x', 'g')
       END
 WHERE creator_id = %(creator)s
   AND canonical NOT LIKE 'erased:%%'
