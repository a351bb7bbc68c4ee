-- The statements of the audit. Each reads the partitions of the days asked for, and no others.

-- name: rows_by_player
-- Per day and player, of the days that do not look as their receipts say: rows, distinct keys, copies of a key,
-- and rows that something other than the consolidation has changed since. A day without any row is there, too,
-- with NULL for the player.
WITH days AS (
  SELECT one.game_date, one.key_count, one.changed_until
  FROM UNNEST(@days) AS one
),
by_key AS (
  SELECT {partition} AS game_date, {keys}, COUNT(*) AS copies, MAX({changed_at}) AS changed_at,
    COUNTIF({changed_at} IS NULL) AS unmarked
  FROM {main}
  WHERE {partition} BETWEEN @first_day AND @last_day
  GROUP BY {partition}, {keys}
),
by_player AS (
  SELECT by_key.game_date, {item} AS player_lookup, COUNT(*) AS key_count, SUM(copies) AS row_count,
    COUNTIF(copies > 1) AS duplicate_keys,
    COUNTIF(changed_at > days.changed_until OR unmarked > 0) AS modified_keys
  FROM by_key
  JOIN days ON days.game_date = by_key.game_date
  GROUP BY by_key.game_date, {item}
),
by_day AS (
  SELECT game_date, SUM(key_count) AS key_count, SUM(duplicate_keys) AS duplicate_keys,
    SUM(modified_keys) AS modified_keys
  FROM by_player
  GROUP BY game_date
)
SELECT days.game_date, by_player.player_lookup, by_player.key_count, by_player.row_count,
  by_player.duplicate_keys, by_player.modified_keys
FROM days
LEFT JOIN by_day ON by_day.game_date = days.game_date
LEFT JOIN by_player ON by_player.game_date = days.game_date
WHERE COALESCE(by_day.key_count, 0) != days.key_count
  OR by_day.duplicate_keys > 0
  OR by_day.modified_keys > 0

-- name: row_rules
-- Rows that break a rule which BigQuery cannot enforce, per day and rule, with some of their players.
SELECT game_date, rule, COUNT(*) AS row_count, ARRAY_AGG(DISTINCT player_lookup LIMIT 20) AS players
FROM (
  SELECT {partition} AS game_date, {item} AS player_lookup,
    CASE
      {broken_rules}
    END AS rule
  FROM {main}
  WHERE {partition} BETWEEN @first_day AND @last_day
)
WHERE rule IS NOT NULL
GROUP BY game_date, rule
