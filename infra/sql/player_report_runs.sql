-- Reports on players and the versions of the data that each was made from: one row per player, game and run.
-- Partitioned by the day of the game, and a query must say which; read by player, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{orchestration}.player_report_runs` (
  player_id INT64 NOT NULL,
  game_id STRING NOT NULL,
  game_date DATE NOT NULL OPTIONS (description = "Day of the game, America/New_York"),
  status STRING NOT NULL,
  roster_v STRING OPTIONS (description = "Version of the roster that it rests on"),
  odds_v STRING OPTIONS (description = "Of the odds"),
  injury_v STRING OPTIONS (description = "Of the injury report"),
  box_v STRING OPTIONS (description = "Of the box score"),
  pbp_v STRING OPTIONS (description = "Of the play-by-play"),
  last_generated TIMESTAMP,
  grade_result STRING,
  actual_pts INT64,
  hit_minute INT64,
  report_uri STRING
)
PARTITION BY game_date
CLUSTER BY player_id
OPTIONS (
  description = "Runs of the player reports",
  require_partition_filter = TRUE
);
