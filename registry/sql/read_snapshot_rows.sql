-- read_snapshot_rows: everything that is said under some keys, for a delta; a work about which
-- nothing is said is there too, since online answers name what was recognised.
-- in    keys bytea[]
-- out   key, kind, canonical, subject, subject_type, tier, specificity, statements (JSON text);
--       in the order of keys; nothing for keys that lead nowhere. One of somebody who left may be
--       masked beside the same address of somebody else: either has the same gate
SELECT said.key, place.kind, place.canonical,
       said.subject, said.subject_type, said.tier, said.specificity, said.statements::text
  FROM registry_decisionindex AS said
  JOIN (SELECT key, kind, min(canonical) AS canonical
          FROM (SELECT key, kind, canonical FROM registry_identifier
                 WHERE key = ANY(%(keys)b::bytea[])
                UNION
                SELECT key, kind, canonical FROM registry_collection
                 WHERE key = ANY(%(keys)b::bytea[])) AS each
         GROUP BY key, kind
       ) AS place ON place.key = said.key
 WHERE said.key = ANY(%(keys)b::bytea[])
 ORDER BY said.key
