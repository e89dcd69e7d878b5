-- read_rights_changes: which works to ask about again.
-- in    since text (xid8): everything of earlier transactions has been read; most int
-- out   work_id uuid and other_id uuid or NULL, place bytea or NULL; then on every row
--       upto text: read on from there next time. One row with nulls when there is nothing new.
--       More than ``most`` rows: only the first of them.
SELECT uuid_send(change.work_id), uuid_send(change.other_id), change.place,
       pg_snapshot_xmin(pg_current_snapshot())::text
  FROM (SELECT) AS always
  LEFT JOIN LATERAL (
       SELECT work_id, other_id, place FROM attribution_rightschange
        WHERE xid >= %(since)s::text::xid8
        LIMIT %(most)s::int + 1
       ) AS change ON true
