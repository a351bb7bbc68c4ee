CREATE OR REPLACE TABLE `nba_predictions._gathered_b1_1_7`
OPTIONS (expiration_timestamp = TIMESTAMP '2026-01-17 23:00:00.123456+00:00')
AS
SELECT '_staging_b1_w1' AS staging_table, player_lookup IN ('jaysontatum', 'lebronjames') AS is_claimed, *
FROM `nba_predictions._staging_b1_w1`
UNION ALL BY NAME
SELECT '_staging_b1_w2' AS staging_table, player_lookup IN ('stephencurry') AS is_claimed, *
FROM `nba_predictions._staging_b1_w2`;
