-- What the log says at a glance. Both bring their own predicate on the partitions, which a window or a group would
-- keep a reader's predicate from reaching.

-- The newest run of each processor for each day of games, of the last seven days.
CREATE OR REPLACE VIEW `{orchestration}.v_latest_processor_status`
OPTIONS (description = "Newest run of each processor and game day, of the last 7 days")
AS
SELECT
  processor_name, phase, game_date, status, started_at, completed_at, duration_seconds, record_count, rows_inserted,
  rows_failed, error_type, error_message, correlation_id, execution_id
FROM `{orchestration}.processor_execution_log`
WHERE started_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 7 DAY)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY processor_name, game_date
  ORDER BY started_at DESC, execution_id DESC
) = 1;

-- Runs, failures and time of each processor and day, for as long as the log is kept.
CREATE OR REPLACE VIEW `{orchestration}.v_daily_execution_summary`
OPTIONS (description = "Runs, failures and time of each processor and day, of the last 90 days")
AS
SELECT
  DATE(started_at) AS run_date,
  processor_name,
  phase,
  COUNT(*) AS runs,
  COUNTIF(status = 'success') AS succeeded,
  COUNTIF(status = 'failed') AS failed,
  COUNTIF(status NOT IN ('success', 'failed')) AS other,
  SUM(record_count) AS records,
  AVG(duration_seconds) AS average_seconds,
  MAX(duration_seconds) AS longest_seconds
FROM `{orchestration}.processor_execution_log`
WHERE started_at >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 90 DAY)
GROUP BY run_date, processor_name, phase;
