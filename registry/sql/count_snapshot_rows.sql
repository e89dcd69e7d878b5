-- count_snapshot_rows: about how large the tables of a complete snapshot become.
-- out   kind text, rows bigint; the kind host comes twice, for hosts and for gates on hosts
SELECT kind, count(DISTINCT key) FROM registry_identifier GROUP BY kind
UNION ALL
SELECT kind, count(DISTINCT key) FROM registry_collection GROUP BY kind
UNION ALL
SELECT 'host', count(DISTINCT split_part(canonical, '/', 1))
  FROM registry_identifier WHERE kind = 'url'
