-- read_import_rows: what some rows of an import describe.
-- in    import uuid, after bigint, last bigint: the rows numbered after the one, up to the other
-- out   row_number, body (JSON text, or NULL for a row with a fault); in the order of rows
SELECT row_number, body::text
  FROM registry_importrow
 WHERE works_import_id = %(import)s AND row_number > %(after)s AND row_number <= %(last)s
 ORDER BY row_number
