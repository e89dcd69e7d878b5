-- find_known_keys: which of many keys lead to anything at all.
-- in    works bytea[], places bytea[], in any order; the same key may be in both
-- out   those of works under which a work was registered, of places under which a collection was,
--       once each
SELECT key FROM registry_identifier WHERE key = ANY(%(works)b::bytea[])
UNION
SELECT key FROM registry_collection WHERE key = ANY(%(places)b::bytea[])
