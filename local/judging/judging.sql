-- What a run looks at while it goes on and once it is over.

-- name: players_staged
-- How many players the staging tables of a batch hold; {rows} is the union of their rows.
SELECT COUNT(DISTINCT player_lookup) AS players
FROM ({rows})

-- name: players_in_main
-- How many players the main table holds of a date.
SELECT COUNT(DISTINCT player_lookup) AS players
FROM {main}
WHERE game_date = @game_date

-- name: executions
-- The runs of a processor on a date that have begun since.
SELECT execution_id
FROM {log}
WHERE started_at >= @opened_at AND game_date = @game_date AND processor_name = @processor
