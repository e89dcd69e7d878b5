-- stream_snapshot_gates: on which hosts URLs or path prefixes lead somewhere.
-- out   key bytea (the host's, ckey/1), urls boolean, depth int (slashes of the deepest prefix);
--       in the order of keys
SELECT sha256('\x04'::bytea || convert_to(authority, 'UTF8')) AS key,
       bool_or(kind = 'url') AS urls,
       max(CASE WHEN kind = 'path' THEN depth ELSE 0 END) AS depth
  FROM (SELECT key, split_part(canonical, '/', 1) AS authority, kind, 0 AS depth
          FROM registry_identifier WHERE kind = 'url'
        UNION
        SELECT key, split_part(canonical, '/', 1), kind,
               length(canonical) - length(replace(canonical, '/', ''))
          FROM registry_collection WHERE kind = 'path') AS place
 WHERE EXISTS (SELECT FROM registry_decisionindex AS said
                WHERE said.key = place.key)
 GROUP BY authority
 ORDER BY 1
