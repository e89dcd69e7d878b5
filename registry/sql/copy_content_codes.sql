-- copy_content_codes: content codes from a number on, in the order in which they were committed.
-- in    number bigint
-- out   binary rows: number, work, type, length in bits, code (32 bytes), whether this very
--       transaction wrote it
COPY (
    SELECT number, work_id, type, bits, code,
           written_in IS NOT DISTINCT FROM pg_current_xact_id_if_assigned() AS own
      FROM registry_contentcode
     WHERE number >= %(number)s
     ORDER BY number
) TO STDOUT (FORMAT binary);
