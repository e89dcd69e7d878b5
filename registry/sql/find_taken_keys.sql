-- find_taken_keys: which of many keys a work registered now would not be the first to have.
-- in    keys bytea[], in any order
-- out   those under which a work was registered, or about which the index says anything, once each
SELECT key FROM registry_identifier WHERE key = ANY(%(keys)b::bytea[])
UNION
SELECT key FROM registry_decisionindex WHERE key = ANY(%(keys)b::bytea[])
