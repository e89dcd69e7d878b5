-- audit_unbalanced_entries: every entry's legs add up to zero, none of them zero.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each entry that breaks this
WITH portion AS (
    SELECT min(batch_id) << 20 AS first
      FROM ledger_batch
     WHERE seq > current_setting('ledger.audit_since')::bigint
)
SELECT format('entry %s adds up to %s', entry.id, sum(leg.amount)) AS detail
  FROM ledger_entry AS entry, unnest(entry.amounts) AS leg (amount)
 WHERE entry.id >= (SELECT first FROM portion)
 GROUP BY entry.id
HAVING sum(leg.amount) <> 0 OR bool_or(leg.amount = 0);
