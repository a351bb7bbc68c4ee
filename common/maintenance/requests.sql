-- What a prediction request says, for asking again.

-- name: games
-- The game of each player on a date, as the analytics know it. A player has one game a day; the newest row counts.
SELECT player_lookup, ANY_VALUE(game_id HAVING MAX processed_at) AS game_id
FROM {table}
WHERE game_date = @game_date AND player_lookup IN UNNEST(@players)
GROUP BY player_lookup
