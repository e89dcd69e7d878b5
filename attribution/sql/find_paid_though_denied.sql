-- find_paid_though_denied: money paid for a work that its manifest does not show as allowed.
-- out   query uuid, work uuid, micros
SELECT query.id AS query, contribution.work_id AS work, contribution.micros
  FROM attribution_contribution AS contribution
  JOIN attribution_query AS query ON query.id = contribution.query_id
 WHERE contribution.work_id IS NOT NULL
   AND contribution.micros > 0
   AND NOT EXISTS (
       SELECT FROM registry_manifestrow AS row
        WHERE row.manifest_id = query.manifest_id
          AND row.work_id = contribution.work_id
          AND row.decision = 'allow'
       )
 ORDER BY 1, 2;
