-- open_accounts: open accounts that are not open yet; racing openers wait for one another.
-- in    kinds smallint[n], operators uuid[n], creators uuid[n] (nulls where the kind has none),
--       currencies smallint[n], minima bigint[n] (null: may be negative),
--       maxima bigint[n] (null: may grow)
-- locks the unique key on (owner, kind, currency), in its order, until commit
INSERT INTO ledger_account (kind, operator_id, creator_id, currency,
                            min_balance_micros, max_balance_micros)
SELECT kind, operator, creator, currency, minimum, maximum
  FROM unnest(%(kinds)s::smallint[], %(operators)s::uuid[], %(creators)s::uuid[],
              %(currencies)s::smallint[], %(minima)s::bigint[],
              %(maxima)s::bigint[])
           AS wanted (kind, operator, creator, currency, minimum, maximum)
 ORDER BY coalesce(operator, creator), kind, currency
    ON CONFLICT (owner, kind, currency) DO NOTHING;
