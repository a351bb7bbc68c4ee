SELECT staging_table, player_lookup AS player_lookup, is_claimed, SUM(copies) AS found_rows,
  SUM(misdated) AS misdated_rows, COUNT(*) AS found_keys
FROM (
  SELECT staging_table, is_claimed, game_id, player_lookup, system_id, current_points_line, COUNT(*) AS copies,
    COUNTIF(game_date IS DISTINCT FROM DATE '2026-01-17') AS misdated
  FROM `nba_predictions._gathered_b1_1_7`
  GROUP BY staging_table, is_claimed, game_id, player_lookup, system_id, current_points_line
)
GROUP BY staging_table, player_lookup, is_claimed;
