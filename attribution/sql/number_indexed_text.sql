-- number_indexed_text: give a text its place in the index.
-- in    work uuid
-- out   nothing; a text that has a number keeps it
-- The caller lets one text in at a time: numbers have no gaps, and later ones are committed later.
INSERT INTO attribution_indexedtext (number, work_id)
SELECT coalesce(max(number) + 1, 0), %(work)s::uuid FROM attribution_indexedtext
    ON CONFLICT (work_id) DO NOTHING;
