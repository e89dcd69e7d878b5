-- audit_proposals: what takes two people was proposed by one and confirmed by another, for exactly
-- the lines proposed, and what was confirmed is on record.
-- out   detail text, one row for each proposal or deed that breaks this
SELECT format('proposal %s', proposal.id) AS detail
  FROM ledger_proposal AS proposal
 WHERE proposal.lines_digest <> sha256(convert_to(proposal.lines, 'UTF8'))
    OR (proposal.status = 'confirmed'
        AND (proposal.decided_by_id = proposal.proposed_by_id
             OR proposal.factor = ''
             OR NOT EXISTS (SELECT FROM ledger_adminaction AS action
                             WHERE action.proposal_id = proposal.id
                               AND action.deed IN ('adjusted', 'taken_back', 'aside_released',
                                                   'aside_reassigned'))))
 UNION ALL
SELECT format('deed %s (%s)', action.id, action.deed)
  FROM ledger_adminaction AS action
  LEFT JOIN ledger_proposal AS proposal ON proposal.id = action.proposal_id
 WHERE action.deed IN ('adjusted', 'taken_back', 'aside_released', 'aside_reassigned')
   AND NOT action.alone
   AND (proposal.status IS DISTINCT FROM 'confirmed' OR proposal.proposed_by_id = action.by_id)
 UNION ALL
SELECT format('deed %s booked other micros than proposal %s', action.id, proposal.id)
  FROM ledger_adminaction AS action
  JOIN ledger_proposal AS proposal ON proposal.id = action.proposal_id
 WHERE action.deed IN ('adjusted', 'taken_back')
   AND (action.facts ->> 'micros') IS DISTINCT FROM (proposal.lines::jsonb ->> 'micros')
 UNION ALL
SELECT format('entry %s is not what proposal %s was for', action.facts ->> 'entry', proposal.id)
  FROM ledger_adminaction AS action
  JOIN ledger_proposal AS proposal ON proposal.id = action.proposal_id
  LEFT JOIN ledger_entry AS entry ON entry.id = (action.facts ->> 'entry')::bigint
 WHERE action.deed = 'adjusted'
   AND NOT coalesce(entry.amounts @> ARRAY[(proposal.lines::jsonb ->> 'micros')::bigint], false)
 UNION ALL
SELECT format('deed %s moved other money than proposal %s', action.id, proposal.id)
  FROM ledger_adminaction AS action
  JOIN ledger_proposal AS proposal ON proposal.id = action.proposal_id
 WHERE action.deed IN ('aside_released', 'aside_reassigned')
   AND NOT coalesce(action.facts @> (proposal.lines::jsonb -> 'totals'), false);
