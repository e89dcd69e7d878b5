-- stream_snapshot_rows: everything that is said under every key, for a complete snapshot; works
-- about which nothing is said are there too, since online answers name what was recognised.
-- out   key, kind, subject, subject_type, tier, specificity, statements (JSON text); in the order of
--       keys
SELECT said.key, place.kind, said.subject, said.subject_type, said.tier, said.specificity,
       said.statements::text
  FROM registry_decisionindex AS said
  JOIN (SELECT key, kind FROM registry_identifier
        UNION
        SELECT key, kind FROM registry_collection) AS place ON place.key = said.key
 ORDER BY said.key
