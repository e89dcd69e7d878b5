-- count_log_entries: how many leaves have their place.
-- out   one row: bigint; places have no gap, so that is one more than the last
SELECT coalesce(max(index) + 1, 0) FROM registry_logentry
