-- name: write
-- Adds the row unless this very run has one. Values only come as parameters.
INSERT INTO `{table}` ({columns})
SELECT {values}
FROM UNNEST([1])
WHERE NOT EXISTS (
  SELECT 1 FROM `{table}`
  WHERE execution_id = @execution_id AND started_at = @started_at
)
