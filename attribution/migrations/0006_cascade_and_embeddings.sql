-- 0006_cascade_and_embeddings: what the running service may do with the new tables, and texts
-- paired anew.
-- Texts that share a fifth of their n-grams are near-duplicates now, which was a half: every text is
-- indexed again, which adds the pairs that were missing. Queries wait until that is done.

GRANT SELECT, INSERT, UPDATE, DELETE ON attribution_embeddingspace, attribution_workembedding
TO tribute_app;

GRANT USAGE, SELECT ON SEQUENCE attribution_workembedding_id_seq TO tribute_app;

UPDATE registry_workfeatures SET indexed_at = NULL;
