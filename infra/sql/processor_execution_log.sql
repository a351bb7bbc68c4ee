-- What ran, for which day, with what result: one row per execution.
-- Partitioned by the day of the start and kept for 90 days; read by processor and game day, which is what the
-- clustering serves.
CREATE TABLE IF NOT EXISTS `{orchestration}.processor_execution_log` (
  execution_id STRING NOT NULL OPTIONS (description = "The same for every repeat of a run"),
  processor_name STRING NOT NULL,
  phase INT64 NOT NULL,
  correlation_id STRING,
  game_date DATE,
  season STRING,
  scope STRING OPTIONS (description = "game_date, season, backfill"),
  started_at TIMESTAMP NOT NULL,
  completed_at TIMESTAMP,
  duration_seconds FLOAT64,
  status STRING NOT NULL OPTIONS (description = "success, partial, no_data, failed, skipped"),
  record_count INT64,
  rows_inserted INT64,
  rows_failed INT64,
  error_message STRING,
  error_type STRING OPTIONS (description = "transient, permanent, unknown"),
  stack_trace STRING OPTIONS (description = "At most 10,000 characters"),
  metadata JSON,
  hostname STRING,
  container_id STRING,
  triggered_by STRING OPTIONS (description = "pubsub, scheduler, manual, backfill"),
  parent_execution_id STRING,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP() NOT NULL,
  updated_at TIMESTAMP
)
PARTITION BY DATE(started_at)
CLUSTER BY processor_name, game_date
OPTIONS (
  description = "Executions of all processors",
  require_partition_filter = TRUE,
  partition_expiration_days = 90
);
