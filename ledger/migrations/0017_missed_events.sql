-- How an event came is part of what is kept of it; how far the provider's lists were read is not lost.
DROP TRIGGER ledger_providerevent_is_kept ON ledger_providerevent;
CREATE TRIGGER ledger_providerevent_is_kept
    BEFORE UPDATE OF id, gateway, event_id, type, object_id, account, livemode, payload,
        happened_at, received_at, fetched OR DELETE OR TRUNCATE ON ledger_providerevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_eventlisting_is_kept
    BEFORE UPDATE OF id, gateway, account OR DELETE OR TRUNCATE ON ledger_eventlisting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

REVOKE ALL ON ledger_eventlisting FROM PUBLIC, tribute_app;
GRANT SELECT, INSERT ON ledger_eventlisting TO tribute_app;
GRANT UPDATE (listed_until, listed_at, trouble) ON ledger_eventlisting TO tribute_app;
GRANT USAGE ON SEQUENCE ledger_eventlisting_id_seq TO tribute_app;
