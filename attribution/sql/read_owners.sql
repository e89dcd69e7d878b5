-- read_owners: who owns which part of some works, and whether each wants money at all.
-- in    works uuid[] as text
-- out   work uuid and creator uuid (16 bytes each), ppm, wants_payment, contested
--       (a claim to the work is open); in the order of creators
SELECT uuid_send(share.work_id), uuid_send(share.creator_id), share.ppm,
       creator.wants_payment,
       EXISTS (SELECT FROM registry_claimconflict
                WHERE work_id = share.work_id AND resolved_at IS NULL)
       OR EXISTS (SELECT FROM registry_claimconflict
                   WHERE other_id = share.work_id AND resolved_at IS NULL)
  FROM unnest(%(works)s::text::uuid[]) AS wanted (work_id)
  JOIN registry_rightsshare AS share ON share.work_id = wanted.work_id
  JOIN registry_creator AS creator ON creator.id = share.creator_id
 ORDER BY share.creator_id
