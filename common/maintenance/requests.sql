-- What a prediction request says, for asking again.

-- name: games
-- The game of each player on a date, as the analytics know it. A player has one game a day; the newest row counts.
SELECT {item} AS player_lookup, ANY_VALUE({subject} HAVING MAX {newest_by}) AS game_id
FROM {table}
WHERE {day} = @game_date AND {item} IN UNNEST(@players)
GROUP BY {item}
