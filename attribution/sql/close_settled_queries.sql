-- close_settled_queries: record what settled queries were weighed by and booked as, and forget
-- their evidence.
-- in    settled_at timestamptz; and one element a query in: ids uuid[], methods text[],
--       versions text[], parameters text[] (JSON), records bytea[], manifests uuid[], words int[] (or
--       NULL), weights bigint[], platforms bigint[] (micros), entry_keys uuid[]; ids come as text
-- out   nothing; the caller holds the rows' locks
UPDATE attribution_query AS query
   SET state = 'settled',
       reason = '',
       evidence = NULL,
       evidence_key_id = '',
       method = settled.method,
       method_version = settled.method_version,
       parameters = settled.parameters::jsonb,
       record = settled.record,
       manifest_id = settled.manifest_id,
       words = settled.words,
       weight = settled.weight,
       platform_micros = settled.platform_micros,
       entry_key = settled.entry_key,
       settled_at = %(settled_at)s
  FROM unnest(
           %(ids)s::text::uuid[], %(methods)s::text[], %(versions)s::text[], %(parameters)s::text[],
           %(records)b::bytea[], %(manifests)s::text::uuid[], %(words)b::int[], %(weights)b::bigint[],
           %(platforms)b::bigint[], %(entry_keys)s::text::uuid[]
       ) AS settled (
           id, method, method_version, parameters, record, manifest_id, words, weight, platform_micros,
           entry_key
       )
 WHERE query.id = settled.id;
