SELECT game_id, player_lookup, system_id, current_points_line, COUNT(*) AS copies
FROM `nba_predictions.player_prop_predictions`
WHERE game_date = DATE '2026-01-17'
GROUP BY game_id, player_lookup, system_id, current_points_line
HAVING COUNT(*) > 1
ORDER BY game_id, player_lookup, system_id, current_points_line
