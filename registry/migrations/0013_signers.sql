-- 0013_signers: a file was signed as it was, and a certificate's proof is whole.
CREATE TRIGGER work_signature_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_worksignature
    FOR EACH STATEMENT EXECUTE FUNCTION registry_refuse_change();
ALTER TABLE registry_worksignature ADD CONSTRAINT work_signature_hashes_are_whole
    CHECK (octet_length(certificate_sha256) = 32 AND octet_length(evidence_sha256) = 32);
ALTER TABLE registry_signer ADD CONSTRAINT signer_hashes_are_whole
    CHECK (octet_length(certificate_sha256) = 32 AND octet_length(evidence_sha256) = 32);

REVOKE ALL ON registry_worksignature, registry_signer FROM tribute_app;
GRANT SELECT, INSERT ON registry_worksignature TO tribute_app;
GRANT SELECT, INSERT, UPDATE ON registry_signer TO tribute_app;
