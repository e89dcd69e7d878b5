-- save_import_outcomes: say of some rows of an import what became of them; what they described goes.
-- in    import uuid, numbers bigint[n], outcomes text[n], works uuid[n] (or NULL), fields text[n],
--       reasons text[n]
-- out   nothing
UPDATE registry_importrow AS row
   SET outcome = found.outcome, work_id = found.work, field = found.field,
       reason = found.reason, body = NULL
  FROM unnest(%(numbers)s::bigint[], %(outcomes)s::text[], %(works)s::uuid[], %(fields)s::text[],
              %(reasons)s::text[]) AS found (number, outcome, work, field, reason)
 WHERE row.works_import_id = %(import)s AND row.row_number = found.number
