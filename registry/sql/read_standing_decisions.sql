-- read_standing_decisions: what the decision index says about some works, by every way to them.
-- in    works uuid[] as text
-- out   work uuid (16 bytes), then as in read_decisions: subject, subject_type, tier, specificity,
--       statements (JSON text); several rows a work, in no order; none for those nobody spoke of
--       OFFSET 0 keeps the two look-ups inside: joined, five thousand works are believed to need the
--       whole index, which is read and hashed for them
SELECT uuid_send(wanted.work_id), uuid_send(said.subject), said.subject_type, said.tier,
       said.specificity, said.statements::text
  FROM unnest(%(works)s::text::uuid[]) AS wanted (work_id)
 CROSS JOIN LATERAL (
       SELECT DISTINCT ways.key
         FROM registry_identifier AS identifier
        CROSS JOIN LATERAL unnest(identifier.scopes || identifier.key) AS ways (key)
        WHERE identifier.work_id = wanted.work_id
       OFFSET 0) AS way
 CROSS JOIN LATERAL (
       SELECT subject, subject_type, tier, specificity, statements
         FROM registry_decisionindex
        WHERE key = way.key AND statements <> '[]'::jsonb
       OFFSET 0) AS said
