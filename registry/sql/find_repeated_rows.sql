-- find_repeated_rows: the identifiers that several rows of a manifest have, most repeated first.
-- in    manifest uuid, most bigint (how many of them to name)
-- out   identifiers repeated, rows beyond their first (both in every line), then of one identifier
--       kind, canonical form, rows, first row; no line when nothing is repeated
WITH repeated AS MATERIALIZED (
    SELECT key, count(*) AS rows, min(row_number) AS first
      FROM registry_manifestrow
     WHERE manifest_id = %(manifest)s
     GROUP BY key
    HAVING count(*) > 1
), named AS (
    SELECT key, rows, first FROM repeated ORDER BY rows DESC, first LIMIT %(most)s
)
SELECT (SELECT count(*) FROM repeated),
       (SELECT sum(rows - 1) FROM repeated)::bigint,
       row.kind, row.canonical, named.rows, named.first
  FROM named
  JOIN registry_manifestrow AS row
    ON row.manifest_id = %(manifest)s AND row.row_number = named.first
 ORDER BY named.rows DESC, named.first
