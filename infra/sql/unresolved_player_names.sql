-- Names that nobody could resolve, waiting for a person: one row per source and key.
-- Not partitioned: a few thousand rows, always read by key or status, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{reference}.unresolved_player_names` (
  source STRING NOT NULL OPTIONS (description = "Who met the name"),
  original_name STRING NOT NULL OPTIONS (description = "As first written"),
  normalized_lookup STRING NOT NULL OPTIONS (description = "Its key, as common/player_names.py makes it"),
  first_seen_date DATE NOT NULL OPTIONS (description = "In New York"),
  last_seen_date DATE NOT NULL OPTIONS (description = "In New York"),
  team_abbr STRING,
  season STRING,
  occurrences INT64 NOT NULL OPTIONS (description = "Days on which the name was met"),
  example_games ARRAY<STRING> OPTIONS (description = "At most 10 game ids"),
  status STRING NOT NULL OPTIONS (description = "pending, resolved, invalid, ignored, under_review, snoozed"),
  resolution_type STRING OPTIONS (description = "create_alias, add_to_registry, typo"),
  resolved_to_name STRING,
  notes STRING,
  snooze_until DATE,
  reviewed_by STRING,
  reviewed_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  processed_at TIMESTAMP NOT NULL
)
CLUSTER BY normalized_lookup, status
OPTIONS (description = "Player names to be resolved by a person");
