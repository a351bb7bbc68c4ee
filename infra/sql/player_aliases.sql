-- Other spellings of a player's name: suffixes, nicknames, what a source writes. Kept by people; whoever
-- resolves a name reads it. Both lookups are keys as common/player_names.py makes them.
-- Not partitioned: a few thousand rows, always read by key, which is what the clustering serves.
CREATE TABLE IF NOT EXISTS `{reference}.player_aliases` (
  alias_lookup STRING NOT NULL OPTIONS (description = "Key of the other spelling"),
  nba_canonical_lookup STRING NOT NULL OPTIONS (description = "player_lookup of the registry that it stands for"),
  alias_display STRING NOT NULL OPTIONS (description = "The other spelling, as written"),
  nba_canonical_display STRING NOT NULL OPTIONS (description = "The player's name, as written"),
  alias_type STRING OPTIONS (description = "suffix_difference, nickname, source_variation"),
  alias_source STRING OPTIONS (description = "Which source writes it like this"),
  is_active BOOL NOT NULL OPTIONS (description = "Only active aliases resolve"),
  notes STRING,
  created_by STRING,
  created_at TIMESTAMP NOT NULL,
  processed_at TIMESTAMP NOT NULL
)
CLUSTER BY alias_lookup, nba_canonical_lookup
OPTIONS (description = "Other spellings of player names");
