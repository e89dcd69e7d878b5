-- find_settled_without_entry: settled queries without their entry, or with another fee in it, and
-- entries of the kind "query" that no query knows.
-- out   query uuid or NULL, entry key uuid
SELECT query.id AS query, coalesce(query.entry_key, entry.key) AS entry
  FROM (SELECT * FROM attribution_query WHERE state = 'settled') AS query
  FULL JOIN (SELECT * FROM ledger_entry WHERE kind = 1) AS entry ON entry.key = query.entry_key
 WHERE entry.key IS NULL
    OR query.id IS NULL
    OR NOT -query.fee_micros = ANY (entry.amounts)
 ORDER BY 1, 2;
