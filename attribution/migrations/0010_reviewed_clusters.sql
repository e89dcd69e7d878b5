-- 0010_reviewed_clusters: settlement hears when works come into a cluster, or a person merges or
-- separates them; see 0008. What a member is to the rest is a pair with each of them.
CREATE FUNCTION attribution_note_clusters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO attribution_rightschange (work_id, other_id)
    SELECT DISTINCT member.work_id, other.work_id
      FROM changed AS member
      JOIN registry_clustermember AS other
        ON other.cluster_id = member.cluster_id AND other.work_id <> member.work_id;
    INSERT INTO attribution_rightschange (work_id) SELECT DISTINCT work_id FROM changed;
    RETURN NULL;
END
$$;
CREATE TRIGGER attribution_notes_insert AFTER INSERT ON registry_clustermember
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION attribution_note_clusters();
CREATE TRIGGER attribution_notes_update AFTER UPDATE ON registry_clustermember
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION attribution_note_clusters();
CREATE TRIGGER attribution_notes_delete AFTER DELETE ON registry_clustermember
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT
    EXECUTE FUNCTION attribution_note_clusters();
