-- audit_accounts: whose an account is, and its limits, are as when its first leg was sealed.
-- out   detail text, one row for each batch whose new accounts break this
WITH opened AS (
    SELECT account_id, min(batch) AS seq FROM ledger_line GROUP BY account_id
), hashed AS (
    SELECT opened.seq,
           sha256(string_agg(ledger_account_digest(account), ''::bytea ORDER BY account.id)) AS hash
      FROM opened
      JOIN ledger_account AS account ON account.id = opened.account_id
     GROUP BY opened.seq
)
SELECT format('accounts first used in batch %s', batch.seq) AS detail
  FROM ledger_batch AS batch
  LEFT JOIN hashed USING (seq)
 WHERE batch.accounts_hash IS DISTINCT FROM coalesce(hashed.hash, sha256(''::bytea));
