-- read_overlay: what a process that answers from a snapshot does not know yet.
-- in    seq bigint (of its snapshot), known_from bigint (changes of transactions before this one are
--       known to it already), most int
-- out   one row at least, the first six columns the same in all: newest_seq, newest_sha256 and
--       newest_complete of the newest release (null before the first), own_sha256 of the release
--       numbered seq, horizon bigint (whatever was changed by transactions before it is either
--       known, or in this answer, or was undone), log_size bigint (as count_log_entries says it);
--       then key, kind and canonical of each change, at most ``most`` of them; kind and canonical
--       null for keys that lead nowhere now
WITH newest AS (
    SELECT seq, sha256, complete FROM registry_snapshotrelease ORDER BY seq DESC LIMIT 1
), change AS (
    SELECT DISTINCT key FROM registry_snapshotchange
     WHERE (seq IS NULL OR seq > %(seq)s) AND changed_in >= %(known_from)s::text::xid8
     LIMIT %(most)s
), place AS (
    SELECT key, kind, canonical FROM registry_identifier WHERE key IN (SELECT key FROM change)
    UNION
    SELECT key, kind, canonical FROM registry_collection WHERE key IN (SELECT key FROM change)
)
SELECT newest.seq, newest.sha256, newest.complete,
       (SELECT sha256 FROM registry_snapshotrelease WHERE seq = %(seq)s),
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       (SELECT coalesce(max(index) + 1, 0) FROM registry_logentry),
       change.key, place.kind, place.canonical
  FROM (VALUES (1)) AS once
  LEFT JOIN newest ON true
  LEFT JOIN change ON true
  LEFT JOIN place ON place.key = change.key
