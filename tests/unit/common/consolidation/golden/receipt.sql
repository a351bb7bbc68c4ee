WITH staged AS (
  SELECT game_id, player_lookup, system_id, current_points_line, created_at
  FROM `nba_predictions._gathered_b1_1_7`
  WHERE is_claimed
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, player_lookup, system_id, current_points_line ORDER BY created_at DESC, prediction_id DESC) = 1
),
merged AS (
  SELECT game_id, player_lookup, system_id, current_points_line, COUNT(*) AS copies, MAX(created_at) AS created_at
  FROM `nba_predictions.player_prop_predictions`
  WHERE game_date = DATE '2026-01-17'
  GROUP BY game_id, player_lookup, system_id, current_points_line
)
SELECT
  COUNT(*) AS keys_staged,
  COUNTIF(merged.copies IS NOT NULL) AS keys_in_main,
  COUNTIF(merged.copies > 1) AS duplicate_keys,
  COUNTIF(merged.created_at < staged.created_at) AS outdated_keys
FROM staged
LEFT JOIN merged ON staged.game_id = merged.game_id AND staged.player_lookup = merged.player_lookup AND staged.system_id = merged.system_id AND staged.current_points_line IS NOT DISTINCT FROM merged.current_points_line
