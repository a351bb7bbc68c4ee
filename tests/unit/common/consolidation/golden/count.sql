SELECT staging_table, player_lookup AS player_lookup, is_claimed, COUNT(*) AS found_rows,
  COUNTIF(game_date IS DISTINCT FROM DATE '2026-01-17') AS misdated_rows
FROM `nba_predictions._gathered_b1_1_7`
GROUP BY staging_table, player_lookup, is_claimed;
