-- Who plays: one row per player, team and season, so one player has many rows. A join on player_lookup alone
-- multiplies rows.
-- Not partitioned: some ten thousand rows, always read by key, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{reference}.nba_players_registry` (
  universal_player_id STRING NOT NULL OPTIONS (description = "The player, over all names: lebronjames_001"),
  player_name STRING NOT NULL OPTIONS (description = "As written in that season"),
  player_lookup STRING NOT NULL OPTIONS (description = "Key of player_name, as common/player_names.py makes it"),
  team_abbr STRING NOT NULL,
  season STRING NOT NULL OPTIONS (description = "2025-26"),
  first_game_date DATE,
  last_game_date DATE,
  games_played INT64,
  total_appearances INT64,
  inactive_appearances INT64,
  dnp_appearances INT64,
  jersey_number INT64,
  position STRING,
  source_priority STRING,
  confidence_score FLOAT64,
  last_processor STRING,
  last_gamebook_update TIMESTAMP,
  last_roster_update TIMESTAMP,
  gamebook_update_count INT64,
  roster_update_count INT64,
  update_sequence_number INT64,
  last_gamebook_activity_date DATE,
  last_roster_activity_date DATE,
  created_by STRING,
  created_at TIMESTAMP NOT NULL,
  processed_at TIMESTAMP NOT NULL
)
CLUSTER BY universal_player_id, player_lookup, season, team_abbr
OPTIONS (description = "Players, one row per player, team and season");
