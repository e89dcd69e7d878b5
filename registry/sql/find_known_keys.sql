-- find_known_keys: which of many keys lead to anything at all.
-- in    keys bytea[], in any order
-- out   those of them under which a work or a collection was registered, once each
SELECT key FROM registry_identifier WHERE key = ANY(%(keys)b::bytea[])
UNION
SELECT key FROM registry_collection WHERE key = ANY(%(keys)b::bytea[])
