-- copy_snapshot_rows: everything that is said under every key, and what kind each key is of, for a
-- complete snapshot; works about which nothing is said are there too, since online answers name what was
-- recognised. Read as it lies: whoever reads sorts and joins.
-- out   binary: key bytea; then subject uuid, subject_type, tier, specificity, statements (JSON text);
--       or NULL, kind, NULL, NULL, canonical, once or several times for a key
COPY (
    SELECT key, subject, subject_type, tier::integer, specificity::integer, statements::text
      FROM registry_decisionindex
     UNION ALL
    SELECT key, NULL, kind, NULL, NULL, canonical FROM registry_identifier
     UNION ALL
    SELECT key, NULL, kind, NULL, NULL, canonical FROM registry_collection
) TO STDOUT (FORMAT binary)
