-- 0002_laws: what the database itself refuses, whoever asks.
--   append-only  contributions are never changed or removed, by the owner neither
--   final        a settled or refused query is never changed or removed
--   lengths      a payload digest is a whole SHA-256

CREATE FUNCTION attribution_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER contribution_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON attribution_contribution
    FOR EACH STATEMENT EXECUTE FUNCTION attribution_refuse_change();

CREATE FUNCTION attribution_refuse_final_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'query % is % for good', OLD.id, OLD.state
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER query_final_state_is_final
    BEFORE UPDATE OR DELETE ON attribution_query
    FOR EACH ROW WHEN (OLD.state IN ('settled', 'refused'))
    EXECUTE FUNCTION attribution_refuse_final_change();

ALTER TABLE attribution_query ADD CONSTRAINT query_payload_digest_is_whole
    CHECK (octet_length(payload_digest) = 32);
