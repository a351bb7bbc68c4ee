-- What each scraper run brought: one row per run.
-- Partitioned by the day of the run, and a query must say which; read by process, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{orchestration}.scraper_runs` (
  process_id STRING NOT NULL OPTIONS (description = "The scraper"),
  run_ts TIMESTAMP NOT NULL OPTIONS (description = "When it began"),
  status STRING NOT NULL OPTIONS (description = "success, partial, no_data, failed, skipped"),
  runtime_sec FLOAT64,
  row_count INT64,
  file_uri STRING OPTIONS (description = "gs:// of what it wrote"),
  error_msg STRING
)
PARTITION BY DATE(run_ts)
CLUSTER BY process_id
OPTIONS (
  description = "Runs of the scrapers",
  require_partition_filter = TRUE
);
