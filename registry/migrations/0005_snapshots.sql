-- 0005_snapshots: note every key whose decisions change, in the transaction of the change.
-- Releases are added and, when nobody needs them any more, removed; never changed.

CREATE FUNCTION registry_note_snapshot_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry_snapshotchange (key) SELECT DISTINCT key FROM changed;
    RETURN NULL;
END
$$;

CREATE TRIGGER decision_added_is_noted AFTER INSERT ON registry_decisionindex
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION registry_note_snapshot_change();
CREATE TRIGGER decision_changed_is_noted AFTER UPDATE ON registry_decisionindex
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION registry_note_snapshot_change();
CREATE TRIGGER decision_removed_is_noted AFTER DELETE ON registry_decisionindex
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION registry_note_snapshot_change();

ALTER TABLE registry_snapshotchange ADD CONSTRAINT snapshot_change_key_is_whole
    CHECK (octet_length(key) = 32);
ALTER TABLE registry_snapshotrelease ADD CONSTRAINT snapshot_release_hash_is_its_own
    CHECK (sha256 = sha256(manifest));

GRANT SELECT, INSERT, UPDATE, DELETE ON registry_snapshotchange TO tribute_app;
GRANT SELECT, INSERT, DELETE ON registry_snapshotrelease TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE registry_snapshotchange_id_seq TO tribute_app;
