-- How far the history of each player reaches: one row per player and update, the newest counts.
-- Partitioned by the day of the update, and a query must say which; read by player, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{orchestration}.player_history_manifest` (
  player_id INT64 NOT NULL,
  latest_hist_date DATE,
  row_count INT64,
  updated_at TIMESTAMP NOT NULL
)
PARTITION BY DATE(updated_at)
CLUSTER BY player_id
OPTIONS (
  description = "Reach of the players' histories",
  require_partition_filter = TRUE
);
