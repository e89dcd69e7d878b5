-- audit_unbalanced_entries: every entry's legs add up to zero, none of them zero.
-- out   detail text, one row for each entry that breaks this
SELECT format('entry %s adds up to %s', entry.id, sum(leg.amount)) AS detail
  FROM ledger_entry AS entry, unnest(entry.amounts) AS leg (amount)
 GROUP BY entry.id
HAVING sum(leg.amount) <> 0 OR bool_or(leg.amount = 0);
