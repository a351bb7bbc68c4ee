-- The statements of a consolidation, filled by merge_sql.py with checked literals: scripts take no parameters on
-- the emulator, so one form serves both.

-- name: slice
-- The rows of one staging table, each with where it is from and whether anybody claims it.
SELECT {table_text} AS staging_table, {item} IN ({players}) AS is_claimed, *
FROM {table}

-- name: gather
-- Copies staging tables into one, made anew. Each is named: nothing that appears later is in it. Columns are
-- matched by name, not by their place.
CREATE OR REPLACE TABLE {gathered}
OPTIONS (expiration_timestamp = {expires})
AS
{slices};

-- name: gather_more
-- Appends what one statement could not take.
INSERT INTO {gathered} (
  {columns}
)
SELECT
  {columns}
FROM (
{slices}
);

-- name: count
-- Rows per staging table and player, and how many of them are of another day.
SELECT staging_table, {item} AS player_lookup, is_claimed, COUNT(*) AS found_rows,
  COUNTIF({partition} IS DISTINCT FROM {day}) AS misdated_rows
FROM {gathered}
GROUP BY staging_table, {item}, is_claimed;

-- name: answers
-- Rows per staging table, player and time: a player who was asked for twice may have answered twice.
SELECT staging_table, {item} AS player_lookup, {newest} AS answered_at, COUNT(*) AS found_rows
FROM {gathered}
WHERE is_claimed
GROUP BY staging_table, {item}, {newest};

-- name: staged_answers
-- The same of one staging table itself, for whoever asks what could be merged.
SELECT {table_text} AS staging_table, {item} AS player_lookup, {newest} AS answered_at, COUNT(*) AS found_rows
FROM {table}
WHERE {item} IN ({players})
GROUP BY {item}, {newest}

-- name: leave_out
-- Takes out of the merge what a player has answered at any other time than that which was claimed.
UPDATE {gathered}
SET is_claimed = FALSE
WHERE is_claimed AND (
  {others}
);

-- name: other_answers
staging_table = {table_text} AND {newest} != {answered_at} AND {item} IN ({players})

-- name: raise_fence
-- Begins the transaction that writes under a fence, and raises it: see `merge` for why in this way.
INSERT INTO {fences} (lock_key, fence, game_date, updated_at)
SELECT {lock_key}, 0, {day}, {now}
FROM UNNEST([1])
WHERE NOT EXISTS (SELECT 1 FROM {fences} WHERE lock_key = {lock_key});
BEGIN TRANSACTION;
UPDATE {fences}
SET fence = {fence}, updated_at = {now}
WHERE lock_key = {lock_key} AND fence <= {fence};

-- name: merge
-- Raises the fence and merges, in one transaction; then counts, compares key by key, and reads the fence back.
--
-- The fence row is there before the transaction: two first-time inserts would not conflict in BigQuery, and two
-- of these at once may leave two rows, with which the rest is right as well. In the transaction the fence is
-- written even where it is ours already: that write is what makes it conflict with the transaction of any other
-- holder, which two insert-only MERGEs would not. Where a higher fence stands nothing is written, and the source
-- of the MERGE is empty.
--
-- `contradicting_rows`: same key, time and id as a row of the main table, and another value. Which of two such
-- rows counts nobody can say, so whichever came first stays, and the receipt tells that one was dropped. A row
-- that this merge has taken from the only staged row of its key, time and id needs no look: only those that were
-- there before, and those that were staged more than once, are `suspected` and compared value by value.
DECLARE rows_before INT64 DEFAULT (SELECT COUNT(*) FROM {main} WHERE {of_day});
{raise_fence}
MERGE {main} AS T
USING (
  SELECT
    {columns}
  FROM {gathered}
  WHERE is_claimed AND (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) = {fence}
  {newest_of_key}
) AS S
ON T.{of_day} AND {same_key_T_S}
WHEN MATCHED AND {is_newer_S_T} THEN
  UPDATE SET
    {assignments}
WHEN NOT MATCHED BY TARGET THEN
  INSERT (
    {columns}
  )
  VALUES (
    {values}
  );
COMMIT TRANSACTION;
WITH staged AS (
  SELECT {key}, MAX({newest}) AS {newest}
  FROM {gathered}
  WHERE is_claimed
  GROUP BY {key}
),
merged AS (
  SELECT {key}, COUNT(*) AS copies, MAX({newest}) AS {newest}
  FROM {main}
  WHERE {of_day}
  GROUP BY {key}
),
compared AS (
  SELECT
    COUNT(*) AS keys_staged,
    COUNTIF(merged.copies IS NOT NULL) AS keys_in_main,
    COUNTIF(merged.copies > 1) AS duplicate_keys,
    COUNTIF(merged.{newest} < staged.{newest}) AS outdated_keys
  FROM staged
  LEFT JOIN merged ON {same_key_staged_merged}
),
suspected AS (
  SELECT {key}, {order}
  FROM {main}
  WHERE {of_day} AND {changed_at} IS DISTINCT FROM {now}
  UNION DISTINCT
  SELECT {key}, {order}
  FROM {gathered}
  WHERE is_claimed
  GROUP BY {key}, {order}
  HAVING COUNT(*) > 1
),
contradicting AS (
  SELECT COUNT(*) AS contradicting_rows
  FROM suspected AS P
  JOIN {gathered} AS S
  ON {same_key_P_S} AND {same_order_P_S}
  JOIN {main} AS T
  ON T.{of_day} AND {same_key_P_T} AND {same_order_P_T}
  WHERE S.is_claimed AND (
    {differs_T_S}
  )
),
changed AS (
  SELECT COUNT(*) AS rows_after, COUNTIF({changed_at} = {now}) AS rows_changed
  FROM {main}
  WHERE {of_day}
)
SELECT
  rows_before,
  changed.rows_after,
  changed.rows_changed,
  compared.keys_staged,
  compared.keys_in_main,
  compared.duplicate_keys,
  compared.outdated_keys,
  contradicting.contradicting_rows,
  (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) AS fence
FROM compared
CROSS JOIN contradicting
CROSS JOIN changed;

-- name: duplicates
-- The keys of a day that are there more than once.
SELECT {key}, COUNT(*) AS copies
FROM {main}
WHERE {of_day}
GROUP BY {key}
HAVING COUNT(*) > 1
ORDER BY {key}

-- name: remove
-- Raises the fence and removes the rows of some players of a day, in one transaction; then counts, and reads the
-- fence back. Where a higher fence stands, nothing is removed.
DECLARE rows_before INT64 DEFAULT (SELECT COUNT(*) FROM {main} WHERE {of_day});
{raise_fence}
DELETE FROM {main}
WHERE {of_day} AND {item} IN ({players})
  AND (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) = {fence};
COMMIT TRANSACTION;
SELECT
  rows_before - (SELECT COUNT(*) FROM {main} WHERE {of_day}) AS rows_removed,
  (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) AS fence
