-- Which version of which entity has arrived, from which process: one row per arrival.
-- Partitioned by the day of the arrival, and a query must say which; read by process and entity, which is what the
-- clustering serves.
CREATE TABLE IF NOT EXISTS `{orchestration}.process_tracking` (
  process_id STRING NOT NULL,
  entity_key STRING NOT NULL OPTIONS (description = "What arrived: a game, a player, a day"),
  version_handle STRING OPTIONS (description = "Tells one version of the entity from another"),
  as_of_date DATE,
  arrived_at TIMESTAMP NOT NULL,
  row_count INT64,
  file_uri STRING
)
PARTITION BY DATE(arrived_at)
CLUSTER BY process_id, entity_key
OPTIONS (
  description = "Arrivals of data, by process and entity",
  require_partition_filter = TRUE
);
