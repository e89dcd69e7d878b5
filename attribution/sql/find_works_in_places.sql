-- find_works_in_places: works with an address in any of these places.
-- in    places bytea[]; most int
-- out   work_id uuid, at most ``most`` and one more
SELECT DISTINCT uuid_send(work_id) FROM registry_identifier
 WHERE scopes && %(places)s::bytea[]
 LIMIT %(most)s::int + 1
