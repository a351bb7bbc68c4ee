UPDATE `nba_predictions._gathered_b1_1_7`
SET is_claimed = FALSE
WHERE is_claimed AND (
  staging_table = '_staging_b1_w1' AND created_at != TIMESTAMP '2026-01-17 23:00:00.123456+00:00' AND player_lookup IN ('jaysontatum', 'lebronjames')
  OR staging_table = '_staging_b1_w2' AND created_at != TIMESTAMP '2026-01-17 23:00:00.123456+00:00' AND player_lookup IN ('stephencurry')
);
