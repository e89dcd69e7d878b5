-- find_accounts: the numbers of accounts that are open.
-- in    kinds smallint[n], owners uuid[n] (zero for the platform), currencies smallint[n]
-- out   position int (from 1), id int: one row for each that is open
SELECT wanted.position, account.id
  FROM unnest(%(kinds)s::smallint[], %(owners)s::uuid[], %(currencies)s::smallint[])
           WITH ORDINALITY AS wanted (kind, owner, currency, position)
  JOIN ledger_account AS account
    ON account.owner = wanted.owner
   AND account.kind = wanted.kind
   AND account.currency = wanted.currency;
