-- Search indexes for the two columns by which names are looked up.
-- BigQuery builds one and then leaves it unused (BASE_TABLE_TOO_SMALL) while its table is under 10 GB; these tables are
-- a few MB, and any read of them is billed as the minimum of 10 MB. Until then the clustering serves:
-- player_aliases by alias_lookup, nba_players_registry by universal_player_id and player_lookup. They help once a table
-- is beyond 10 GB and is asked for a handful of keys with `=` or IN; they never help the DML that changes the table.
-- Cost: an index below 10 GB is not filled and not billed.
CREATE SEARCH INDEX IF NOT EXISTS player_aliases_by_alias_lookup
ON `{reference}.player_aliases` (alias_lookup);

CREATE SEARCH INDEX IF NOT EXISTS nba_players_registry_by_player_lookup
ON `{reference}.nba_players_registry` (player_lookup);

-- Not on player_daily_cache (player_lookup, cache_date): cache_date is a DATE, which a search index does not take, and
-- the table is partitioned by it and clustered by player_lookup: a lookup of one player on one day reads one block.
