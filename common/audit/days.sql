-- What tables say of dates. Each statement names the partitions it reads.

-- name: games
-- Rows per date of the schedule.
SELECT {date_column} AS game_date, COUNT(*) AS games
FROM {schedule}
WHERE {date_column} BETWEEN @first_day AND @last_day
GROUP BY {date_column}

-- name: dates_of_table
-- The dates of which a table has rows; one part of a union over tables.
SELECT {label} AS table_name, {date_column} AS game_date
FROM {table}
WHERE {date_column} BETWEEN @first_day AND @last_day
GROUP BY {date_column}
