-- read_standing_decisions: what the decision index says about some works, by every way to them.
-- in    works uuid[] as text
-- out   work uuid (16 bytes), then as in read_decisions: subject, subject_type, tier, specificity,
--       statements (JSON text); several rows a work, in no order; none for those nobody spoke of
SELECT uuid_send(way.work_id), uuid_send(said.subject), said.subject_type, said.tier,
       said.specificity, said.statements::text
  FROM (SELECT DISTINCT identifier.work_id, ways.key
          FROM unnest(%(works)s::text::uuid[]) AS wanted (work_id)
          JOIN registry_identifier AS identifier ON identifier.work_id = wanted.work_id
         CROSS JOIN LATERAL unnest(identifier.scopes || identifier.key) AS ways (key)) AS way
  JOIN registry_decisionindex AS said ON said.key = way.key
 WHERE said.statements <> '[]'::jsonb
