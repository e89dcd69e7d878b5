-- find_received: who received an operator's money since a payment, net of what went back since.
-- in    accounts int[n] (the operator's prepaid and reserved), since bigint (ledger_batch.seq),
--       returns bigint[m] (ids of entries of earlier returns), query smallint (kind of entry)
-- out   creator_id uuid (null for everybody else), micros
WITH spent AS (
    SELECT DISTINCT batch.batch_id
      FROM ledger_line AS line
      JOIN ledger_batch AS batch ON batch.seq = line.batch
     WHERE line.account_id = ANY (%(accounts)s::int[])
       AND line.batch > %(since)s
       AND line.debit_micros > 0
), entry AS (
    SELECT each.accounts, each.amounts
      FROM spent
      JOIN ledger_entry AS each
        ON each.id >= spent.batch_id << 20 AND each.id < (spent.batch_id + 1) << 20
     WHERE each.kind = %(query)s
       AND each.accounts && %(accounts)s::int[]
     UNION ALL
    SELECT each.accounts, each.amounts
      FROM ledger_entry AS each
      JOIN ledger_batch AS batch ON batch.batch_id = each.id >> 20
     WHERE each.id = ANY (%(returns)s::bigint[])
       AND batch.seq > %(since)s
)
SELECT CASE WHEN account.kind IN (2, 3, 14) THEN account.creator_id END, sum(leg.amount)::bigint
  FROM entry,
       unnest(entry.accounts, entry.amounts) AS leg (account, amount)
  JOIN ledger_account AS account ON account.id = leg.account
 WHERE account.kind NOT IN (1, 11, 12)
 GROUP BY 1
 ORDER BY 1;
