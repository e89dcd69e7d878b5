-- 0018_exports: archives lie in rows, uncompressed: they were compressed before they came here.
ALTER TABLE registry_dataexportpart ALTER COLUMN content SET STORAGE EXTERNAL;
REVOKE ALL ON registry_dataexport, registry_dataexportpart FROM tribute_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry_dataexport TO tribute_app;
GRANT SELECT, INSERT, DELETE ON registry_dataexportpart TO tribute_app;
GRANT USAGE, SELECT ON SEQUENCE registry_dataexportpart_id_seq TO tribute_app;

CREATE TRIGGER nothing_is_added_about_the_erased AFTER INSERT ON registry_dataexport
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION registry_refuse_about_erased('creator_id');
