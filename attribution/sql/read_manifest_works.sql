-- read_manifest_works: the registered works in a manifest, row by row.
-- in    manifest uuid
-- out   row_number bigint; work uuid (16 bytes); allowed: at ingestion; agreed: allowed by a
--       statement that asks for payment, or by a licence
SELECT row.row_number, uuid_send(row.work_id), row.decision = 'allow',
       coalesce(statement.paid, row.decision = 'allow')
  FROM registry_manifestrow AS row
  LEFT JOIN registry_statement AS statement ON statement.id = row.statement_id
 WHERE row.manifest_id = %(manifest)s::uuid AND row.work_id IS NOT NULL
