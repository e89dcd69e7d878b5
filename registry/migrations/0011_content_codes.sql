-- 0011_content_codes: every work's content code, numbered in the order of commits, for processes
-- that hold all codes in memory and read only what came since.

CREATE TABLE registry_contentcode (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_id uuid NOT NULL UNIQUE REFERENCES registry_work (id) ON DELETE CASCADE,
    -- Main type, subtype and version, a byte each.
    type integer NOT NULL,
    bits smallint NOT NULL CONSTRAINT content_code_has_1_to_256_bits CHECK (bits BETWEEN 1 AND 256),
    -- The bits, left-aligned, zeros after them.
    code bytea NOT NULL CONSTRAINT content_code_takes_32_bytes CHECK (octet_length(code) = 32),
    -- By which a reader tells what it wrote itself, and may yet take back.
    written_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);

-- Who writes a code keeps others from doing so until the transaction ends. So numbers become
-- visible in their order, and whoever registers a work sees all that were registered before.
CREATE FUNCTION registry_number_content_code() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part integer[] := string_to_array(NEW.iscc_type, '.')::integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(8390884927224504690);
    INSERT INTO registry_contentcode (work_id, type, bits, code)
    VALUES (
        NEW.id,
        (part[1] << 16) | (part[2] << 8) | part[3],
        length(NEW.iscc_bits),
        int8send(substring(NEW.iscc_bits FROM 1 FOR 64)::bit(64)::bigint)
        || int8send(substring(NEW.iscc_bits FROM 65 FOR 64)::bit(64)::bigint)
        || int8send(substring(NEW.iscc_bits FROM 129 FOR 64)::bit(64)::bigint)
        || int8send(substring(NEW.iscc_bits FROM 193 FOR 64)::bit(64)::bigint)
    );
    RETURN NULL;
END
$$;

CREATE FUNCTION registry_refuse_other_content_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the content code of work % is for good', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER work_content_code_is_numbered
    AFTER INSERT ON registry_work
    FOR EACH ROW WHEN (NEW.iscc_bits IS NOT NULL) EXECUTE FUNCTION registry_number_content_code();
CREATE TRIGGER work_content_code_is_for_good
    BEFORE UPDATE OF iscc_type, iscc_bits ON registry_work
    FOR EACH ROW WHEN (OLD.iscc_type IS DISTINCT FROM NEW.iscc_type
                       OR OLD.iscc_bits IS DISTINCT FROM NEW.iscc_bits)
    EXECUTE FUNCTION registry_refuse_other_content_code();

INSERT INTO registry_contentcode (work_id, type, bits, code)
SELECT id,
       ((string_to_array(iscc_type, '.')::integer[])[1] << 16)
       | ((string_to_array(iscc_type, '.')::integer[])[2] << 8)
       | (string_to_array(iscc_type, '.')::integer[])[3],
       length(iscc_bits),
       int8send(substring(iscc_bits FROM 1 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 65 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 129 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 193 FOR 64)::bit(64)::bigint)
  FROM registry_work
 WHERE iscc_bits IS NOT NULL
 ORDER BY registered_at, id;

-- Codes are no longer looked for by scanning the works of a type.
DROP INDEX work_iscc_type;

REVOKE ALL ON registry_contentcode FROM tribute_app;
GRANT SELECT, INSERT ON registry_contentcode TO tribute_app;
