-- export_entries: every entry, in order of id.
-- out   the columns of book_files.SCHEMAS["entries"]
SELECT id, uuid_send(key), kind, currency, accounts, amounts, reverses, effective_at
  FROM ledger_entry
 ORDER BY id;
