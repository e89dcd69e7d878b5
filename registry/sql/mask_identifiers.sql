-- mask_identifiers: take the addresses out of what recognises a creator's works, and leave their keys.
-- in    creator uuid; only works in which nobody else who is still here has a confirmed part
-- out   nothing; what is masked already stays as it is
-- locks the rows, until commit
UPDATE registry_identifier AS identifier
   SET canonical = 'erased:' || encode(sha256(
           '\x04'::bytea || convert_to(split_part(identifier.canonical, '/', 1), 'UTF8')), 'hex')
 WHERE identifier.kind = 'url'
   AND identifier.canonical NOT LIKE 'erased:%%'
   AND identifier.work_id IN (
       SELECT work_id FROM registry_rightsshare WHERE creator_id = %(creator)s)
   AND NOT EXISTS (
       SELECT FROM registry_rightsshare AS share
         JOIN registry_creator AS owner ON owner.id = share.creator_id
        WHERE share.work_id = identifier.work_id
          AND share.creator_id <> %(creator)s
          AND share.confirmed_at IS NOT NULL
          AND owner.erased_at IS NULL)
