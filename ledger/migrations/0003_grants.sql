-- What the running service may do with the ledger's tables. Nothing here may be deleted.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tribute_app') THEN
        CREATE ROLE tribute_app NOLOGIN;
    END IF;
END
$$;

REVOKE ALL ON
    ledger_account, ledger_balance, ledger_entry, ledger_line, ledger_batch, ledger_refusal,
    ledger_payee, ledger_topup, ledger_providerevent, ledger_providertransaction,
    ledger_reconciliation, ledger_payoutbatch, ledger_payout, ledger_payoutevent,
    ledger_publishedhead
FROM PUBLIC, tribute_app;

GRANT SELECT ON
    ledger_account, ledger_balance, ledger_entry, ledger_line, ledger_batch, ledger_refusal
TO tribute_app;
GRANT INSERT ON ledger_account, ledger_entry, ledger_refusal TO tribute_app;
REVOKE ALL ON SEQUENCE ledger_batch_id_seq FROM PUBLIC, tribute_app;
GRANT USAGE ON SEQUENCE ledger_batch_id_seq TO tribute_app;

GRANT SELECT, INSERT, UPDATE ON
    ledger_payee, ledger_topup, ledger_payoutbatch, ledger_payout
TO tribute_app;
GRANT SELECT, INSERT ON
    ledger_payoutevent, ledger_providertransaction, ledger_reconciliation, ledger_providerevent,
    ledger_publishedhead
TO tribute_app;
GRANT UPDATE (outcome, processed_at, attempts, try_after, trouble)
    ON ledger_providerevent TO tribute_app;
GRANT USAGE ON SEQUENCE
    ledger_payoutevent_id_seq, ledger_providertransaction_id_seq, ledger_reconciliation_id_seq
TO tribute_app;
