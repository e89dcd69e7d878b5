-- audit_accounts: whose an account is, and its limits, are as when its first leg was sealed.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each batch whose new accounts break this
WITH opened AS (
    SELECT line.account_id, min(line.batch) AS seq
      FROM ledger_line AS line
     WHERE line.batch > current_setting('ledger.audit_since')::bigint
     GROUP BY line.account_id
    HAVING NOT EXISTS (SELECT FROM ledger_line AS earlier
                        WHERE earlier.account_id = line.account_id
                          AND earlier.batch <= current_setting('ledger.audit_since')::bigint)
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
 WHERE batch.seq > current_setting('ledger.audit_since')::bigint
   AND batch.accounts_hash IS DISTINCT FROM coalesce(hashed.hash, sha256(''::bytea));
