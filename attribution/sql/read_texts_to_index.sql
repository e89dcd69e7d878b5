-- read_texts_to_index: the features of a range of indexed texts.
-- in    first and count bigint
-- out   number bigint, features bytea; nothing for a work that was removed since
SELECT indexed.number, text.features
  FROM attribution_indexedtext AS indexed
  JOIN registry_workfeatures AS text ON text.work_id = indexed.work_id
 WHERE indexed.number >= %(first)s AND indexed.number < %(first)s + %(count)s
