SELECT '_staging_b1_w1' AS staging_table, player_lookup AS player_lookup, created_at AS answered_at, COUNT(*) AS found_rows
FROM `nba_predictions._staging_b1_w1`
WHERE player_lookup IN ('jaysontatum', 'lebronjames')
GROUP BY player_lookup, created_at
UNION ALL
SELECT '_staging_b1_w2' AS staging_table, player_lookup AS player_lookup, created_at AS answered_at, COUNT(*) AS found_rows
FROM `nba_predictions._staging_b1_w2`
WHERE player_lookup IN ('stephencurry')
GROUP BY player_lookup, created_at
