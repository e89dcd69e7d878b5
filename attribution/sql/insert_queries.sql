-- insert_queries: keep reports that were not made before.
-- in    at timestamptz (received and due); model, operator and other columns, one element a report:
--       ids and models uuid[] as text, operator uuid, external_ids text[], digests bytea[],
--       fees bigint[] (micros), currencies smallint[] (ISO 4217 numbers), occurred timestamptz[],
--       evidence bytea[], key_ids text[], holds uuid[] as text
-- out   nothing; an external id that the operator used before stays as it is
INSERT INTO attribution_query (
    id, model_id, operator_id, external_id, payload_digest, fee_micros, currency, occurred_at,
    received_at, due_at, evidence, evidence_key_id,
    hold_id, state, reason, attempts, method, method_version, parameters
)
SELECT id, model_id, %(operator)s::uuid, external_id, payload_digest, fee_micros, currency,
       occurred_at, %(at)s::timestamptz, %(at)s::timestamptz, evidence, key_id,
       hold, 'received', '', 0, '', '', '{}'
  FROM unnest(
           %(ids)s::text::uuid[], %(models)s::text::uuid[], %(external_ids)s::text[],
           %(digests)b::bytea[], %(fees)b::bigint[], %(currencies)b::smallint[],
           %(occurred)b::timestamptz[], %(evidence)b::bytea[], %(key_ids)s::text[],
           %(holds)s::text::uuid[]
       ) AS report (
           id, model_id, external_id, payload_digest, fee_micros, currency, occurred_at, evidence,
           key_id, hold
       )
    ON CONFLICT (operator_id, external_id) DO NOTHING;
