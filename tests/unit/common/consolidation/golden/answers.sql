SELECT staging_table, player_lookup AS player_lookup, created_at AS answered_at, COUNT(*) AS found_rows
FROM `nba_predictions._gathered_b1_1_7`
WHERE is_claimed
GROUP BY staging_table, player_lookup, created_at;
