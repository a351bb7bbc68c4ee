-- What the gates of a boundary ask of the warehouse: one SELECT per number, joined into one query by gates.py.
-- Each counts one partition: @game_date is the only parameter.

-- name: rows
-- Rows of the date in one table.
SELECT {label} AS label, COUNT(*) AS number
FROM {table}
WHERE {date_column} = @game_date

-- name: distinct
-- How many of what the schedule has, such as games, a table knows of the date.
SELECT {label} AS label, COUNT(DISTINCT {column}) AS number
FROM {table}
WHERE {date_column} = @game_date
