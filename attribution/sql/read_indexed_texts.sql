-- read_indexed_texts: which works were indexed, in order.
-- in    first bigint: the number of the first of them
-- out   work uuid (16 bytes); numbers have no gaps
SELECT uuid_send(work_id) FROM attribution_indexedtext WHERE number >= %(first)s ORDER BY number
