-- audit_reversals: a reversal mirrors an entry exactly, and is not itself reversed.
-- in    setting ledger.audit_since: batches after this one
-- out   detail text, one row for each reversal that breaks this
SELECT format('entry %s reverses %s', reversal.id, reversal.reverses) AS detail
  FROM ledger_entry AS reversal
  LEFT JOIN ledger_entry AS original ON original.id = reversal.reverses
 WHERE reversal.reverses IS NOT NULL
   AND reversal.id >= (SELECT min(batch_id) << 20 FROM ledger_batch WHERE seq > current_setting('ledger.audit_since')::bigint)
   AND (original.id IS NULL
        OR original.reverses IS NOT NULL
        OR original.currency <> reversal.currency
        OR original.accounts <> reversal.accounts
        OR reversal.amounts <> (SELECT array_agg(-amount ORDER BY place)
                                  FROM unnest(original.amounts) WITH ORDINALITY
                                           AS leg (amount, place)));
