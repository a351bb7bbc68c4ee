-- What is asked and told about player names. {reference} is the dataset; values only ever come as parameters.

-- name: resolve
-- Every player that goes by one of the keys @names. An active alias that leads to a player decides for its key:
-- a person made it, so it beats a namesake in the registry. One row per key and player, though the registry has
-- one per player, team and season: the newest names him.
WITH aliased AS (
  SELECT DISTINCT aliases.alias_lookup AS name, aliases.nba_canonical_lookup AS player_lookup
  FROM `{reference}.player_aliases` AS aliases
  JOIN `{reference}.nba_players_registry` AS registry
    ON registry.player_lookup = aliases.nba_canonical_lookup
  WHERE aliases.is_active AND aliases.alias_lookup IN UNNEST(@names)
),
lookups AS (
  SELECT name, player_lookup FROM aliased
  UNION ALL
  SELECT asked AS name, asked AS player_lookup
  FROM UNNEST(@names) AS asked
  LEFT JOIN aliased ON aliased.name = asked
  WHERE aliased.name IS NULL
),
matches AS (
  SELECT DISTINCT lookups.name, registry.universal_player_id
  FROM lookups
  JOIN `{reference}.nba_players_registry` AS registry ON registry.player_lookup = lookups.player_lookup
)
SELECT matches.name, registry.universal_player_id, registry.player_lookup, registry.player_name
FROM matches
JOIN `{reference}.nba_players_registry` AS registry
  ON registry.universal_player_id = matches.universal_player_id
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY matches.name, registry.universal_player_id
  ORDER BY registry.season DESC, registry.processed_at DESC, registry.player_lookup, registry.player_name
) = 1

-- name: queue
-- @source met @names on the day @seen_on; the same day again changes nothing. A name that is marked as resolved
-- and is met again on a later day is pending again. What a person noted stays.
MERGE `{reference}.unresolved_player_names` AS queued
USING (
  SELECT name.original_name, name.normalized_lookup, NULLIF(name.notes, '') AS notes
  FROM UNNEST(@names) AS name
) AS met
ON queued.source = @source AND queued.normalized_lookup = met.normalized_lookup
WHEN MATCHED AND queued.last_seen_date < @seen_on THEN UPDATE SET
  last_seen_date = @seen_on,
  occurrences = queued.occurrences + 1,
  status = IF(queued.status = 'resolved', 'pending', queued.status),
  notes = COALESCE(queued.notes, met.notes),
  processed_at = @seen_at
WHEN NOT MATCHED THEN INSERT (
  source, original_name, normalized_lookup, first_seen_date, last_seen_date, occurrences, status, notes,
  created_at, processed_at
) VALUES (
  @source, met.original_name, met.normalized_lookup, @seen_on, @seen_on, 1, 'pending', met.notes,
  @seen_at, @seen_at
)
