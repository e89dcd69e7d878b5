-- find_due_creators: who can be paid and has earned enough to be.
-- in    kind smallint (of available accounts), currency smallint, minimum bigint,
--       changed_before timestamptz (an account changed later is not paid to yet)
-- out   creator_id uuid, gateway, account, balance_micros; ordered by creator
SELECT account.creator_id, payee.gateway, payee.account, balance.balance_micros
  FROM ledger_account AS account
  JOIN ledger_balance AS balance ON balance.account_id = account.id
  JOIN ledger_payee AS payee ON payee.creator_id = account.creator_id
  JOIN registry_creator AS creator ON creator.id = account.creator_id
 WHERE account.kind = %(kind)s
   AND account.currency = %(currency)s
   AND balance.balance_micros >= %(minimum)s
   AND payee.can_receive
   AND (payee.changed_at IS NULL OR payee.changed_at <= %(changed_before)s)
   AND creator.erased_at IS NULL
 ORDER BY account.creator_id;
