-- read_snapshot_rows: everything that is said under some keys, for a delta.
-- in    keys bytea[]
-- out   key, kind, canonical, subject, tier, specificity, statements (JSON text); in the order
--       of keys; nothing for keys under which nothing is said
SELECT said.key, place.kind, place.canonical,
       said.subject, said.tier, said.specificity, said.statements::text
  FROM registry_decisionindex AS said
  JOIN (SELECT key, kind, canonical FROM registry_identifier WHERE key = ANY(%(keys)b::bytea[])
        UNION
        SELECT key, kind, canonical FROM registry_collection WHERE key = ANY(%(keys)b::bytea[])
       ) AS place ON place.key = said.key
 WHERE said.key = ANY(%(keys)b::bytea[])
   AND said.statements <> '[]'::jsonb
 ORDER BY said.key
