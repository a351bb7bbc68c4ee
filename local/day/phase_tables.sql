-- The tables that the gates of the phases ask for.

-- name: create
-- As bare as a gate can be content with.
CREATE TABLE IF NOT EXISTS {table} ({date_column} DATE, game_id STRING)
PARTITION BY {date_column}

-- name: fill
-- A row for each game of the date.
INSERT INTO {table} ({date_column}, game_id)
SELECT @game_date, game FROM UNNEST(@games) AS game
