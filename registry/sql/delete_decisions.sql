-- delete_decisions: forget what the decision index says about many keys, before it is said anew.
-- in    bytea[] keys, in any order
DELETE FROM registry_decisionindex WHERE key = ANY(%b::bytea[])
