-- audit_answers: a key was either posted or refused, never both.
-- out   detail text, one row for each key that breaks this
SELECT format('key %s', key) AS detail
  FROM ledger_refusal
  JOIN ledger_entry USING (key);
