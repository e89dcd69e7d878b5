-- find_keys: what is on record for keys: posted or refused.
-- in    keys uuid[n]
-- out   key, then either entry id, kind, currency, accounts, amounts, reverses (posted)
--       or draft_digest, account_id, reason (refused); at most one row a key
WITH asked AS (SELECT %(keys)s::uuid[] AS keys)
SELECT key, id, kind, currency, accounts, amounts, reverses,
       NULL::bytea AS draft_digest, NULL::int AS account_id, NULL::smallint AS reason
  FROM ledger_entry
 WHERE key = ANY ((SELECT keys FROM asked)::uuid[])
 UNION ALL
SELECT key, NULL, NULL, NULL, NULL, NULL, NULL, draft_digest, account_id, reason
  FROM ledger_refusal
 WHERE key = ANY ((SELECT keys FROM asked)::uuid[]);
