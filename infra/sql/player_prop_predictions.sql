-- The main table of phase 5: one row per game, player, system and line. Columns, key and row rules are those of
-- common/predictions.py, which a test compares with this file. BigQuery enforces neither the key nor the rules:
-- rows are checked before they are staged, and the consolidation proves that no key is there twice.
-- Partitioned by day, and a query must say which: a consolidation reads one partition.
CREATE TABLE IF NOT EXISTS `{predictions}.player_prop_predictions` (
  -- Identity
  prediction_id STRING NOT NULL OPTIONS (description = "UUID, never reused for another prediction"),
  system_id STRING NOT NULL OPTIONS (description = "The system that predicts"),
  player_lookup STRING NOT NULL OPTIONS (description = "As common/player_names.py makes it"),
  universal_player_id STRING,
  game_date DATE NOT NULL OPTIONS (description = "Day of the game, America/New_York"),
  game_id STRING NOT NULL,
  prediction_version INT64 DEFAULT 1 NOT NULL,
  -- The prediction
  predicted_points NUMERIC(5, 1) NOT NULL OPTIONS (description = "0 or more"),
  confidence_score NUMERIC(5, 2) NOT NULL OPTIONS (description = "0 to 100"),
  recommendation STRING NOT NULL OPTIONS (description = "OVER, UNDER, PASS, NO_LINE"),
  has_prop_line BOOL DEFAULT TRUE,
  is_actionable BOOL,
  filter_reason STRING,
  -- What it is made of
  similarity_baseline NUMERIC(5, 1),
  fatigue_adjustment NUMERIC(5, 2),
  shot_zone_adjustment NUMERIC(5, 2),
  referee_adjustment NUMERIC(5, 2),
  look_ahead_adjustment NUMERIC(5, 2),
  pace_adjustment NUMERIC(5, 2),
  usage_spike_adjustment NUMERIC(5, 2),
  home_away_adjustment NUMERIC(5, 2),
  tier_adjustment NUMERIC(5, 2),
  other_adjustments NUMERIC(5, 2),
  adjusted_points NUMERIC(5, 1),
  scoring_tier STRING,
  -- What it rests on
  similar_games_count INT64,
  avg_similarity_score NUMERIC(5, 2),
  min_similarity_score NUMERIC(5, 2),
  line_margin NUMERIC(5, 2),
  current_points_line NUMERIC(4, 1) OPTIONS (description = "Exact: 24.5 is not 25.0; NULL where there is no line"),
  ml_model_id STRING,
  model_version STRING,
  -- Where the line comes from
  line_source STRING OPTIONS (description = "ACTUAL_PROP, ESTIMATED_AVG"),
  estimated_line_value NUMERIC(4, 1),
  estimation_method STRING OPTIONS (description = "points_avg_last_5, points_avg_last_10, default_15.5"),
  line_source_api STRING OPTIONS (description = "ODDS_API, BETTINGPROS, ESTIMATED"),
  sportsbook STRING,
  was_line_fallback BOOL DEFAULT FALSE,
  line_minutes_before_game INT64,
  -- Several systems
  prediction_variance NUMERIC(5, 2),
  system_agreement_score NUMERIC(5, 2) OPTIONS (description = "0 to 100"),
  contributing_systems INT64,
  -- Free form
  key_factors JSON,
  warnings JSON,
  feature_importance JSON,
  -- Completeness of the features
  expected_games_count INT64,
  actual_games_count INT64,
  missing_games_count INT64,
  completeness_percentage FLOAT64,
  is_production_ready BOOL,
  data_quality_issues ARRAY<STRING> OPTIONS (description = "Empty where there are none"),
  last_reprocess_attempt_at TIMESTAMP,
  reprocess_attempt_count INT64,
  circuit_breaker_active BOOL,
  circuit_breaker_until TIMESTAMP,
  manual_override_required BOOL,
  season_boundary_detected BOOL,
  backfill_bootstrap_mode BOOL,
  processing_decision_reason STRING,
  -- Status
  is_active BOOL DEFAULT TRUE NOT NULL,
  superseded_by STRING OPTIONS (description = "prediction_id of what replaced it"),
  -- Injuries as known at the time
  injury_status_at_prediction STRING OPTIONS (description = "OUT, DOUBTFUL, QUESTIONABLE, PROBABLE"),
  injury_flag_at_prediction BOOL,
  injury_reason_at_prediction STRING,
  injury_checked_at TIMESTAMP,
  -- Times
  created_at TIMESTAMP NOT NULL OPTIONS (description = "When it was computed; the newest of a key counts"),
  updated_at TIMESTAMP OPTIONS (description = "When the row last changed here; set by the consolidation")
)
PARTITION BY game_date
CLUSTER BY system_id, player_lookup, game_id
OPTIONS (
  description = "Predictions, one row per game, player, system and line",
  require_partition_filter = TRUE,
  partition_expiration_days = 365
);
