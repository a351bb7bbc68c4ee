INSERT INTO `nba_predictions.consolidation_fences` (lock_key, fence, game_date, updated_at)
SELECT 'consolidation_2026-01-17', 0, DATE '2026-01-17', TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
FROM UNNEST([1])
WHERE NOT EXISTS (SELECT 1 FROM `nba_predictions.consolidation_fences` WHERE lock_key = 'consolidation_2026-01-17')
