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
-- Appends what one statement could not take. An INSERT goes by place, so columns are named on both sides.
INSERT INTO {gathered} (
  {columns}
)
SELECT
  {columns}
FROM (
{slices}
);

-- name: count
-- Rows per staging table and player, how many of them are of another day, and how many keys they have: where each
-- has a key of its own, the merge need not look for the newest of each. Keys first, players then: two small
-- groupings, and NULL is one key, which COUNT(DISTINCT ...) would leave out.
SELECT staging_table, {item} AS player_lookup, is_claimed, SUM(copies) AS found_rows,
  SUM(misdated) AS misdated_rows, COUNT(*) AS found_keys
FROM (
  SELECT staging_table, is_claimed, {key}, COUNT(*) AS copies,
    COUNTIF({partition} IS DISTINCT FROM {day}) AS misdated
  FROM {gathered}
  GROUP BY staging_table, is_claimed, {key}
)
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
-- Of these players in one table. Times are compared to the microsecond: rows of one answer have the very same.
staging_table = {table_text} AND {newest} != {answered_at} AND {item} IN ({players})

-- name: raise_fence
-- Begins the transaction that writes under a fence, and raises it: see `merge` for why in this way. `<=`: a retry
-- of the same holder writes its fence again, and so conflicts with whoever has overtaken it meanwhile.
INSERT INTO {fences} (lock_key, fence, game_date, updated_at)
SELECT {lock_key}, 0, {day}, {now}
FROM UNNEST([1])
WHERE NOT EXISTS (SELECT 1 FROM {fences} WHERE lock_key = {lock_key});
BEGIN TRANSACTION;
UPDATE {fences}
SET fence = {fence}, updated_at = {now}
WHERE lock_key = {lock_key} AND fence <= {fence};

-- name: merge
-- Raises the fence and merges, in one transaction; then counts, key by key, and reads the fence back.
--
--   holder A, fence 5   BEGIN ── writes 5 ── MERGE ─────── COMMIT ✗ aborted: both have written the row
--   holder B, fence 6          BEGIN ── writes 6 ── MERGE ── COMMIT ✓
--
-- The fence row is there before the transaction: two first-time inserts would not conflict in BigQuery, and two
-- of these at once may leave two rows, with which the rest is right as well. In the transaction the fence is
-- written even where it is ours already: that write is what makes it conflict with the transaction of any other
-- holder, which two insert-only MERGEs would not. Where a higher fence stands nothing is written, and the source
-- of the MERGE is empty.
--
-- The newest of each key is looked for only where keys repeat: it sorts whole rows, the widest step of all. Columns
-- are named, in the source, too: what a table has beyond the definition is not written by accident.
--
-- Staged and merged rows are counted in one grouping: it reads a few columns of each once, and takes NULL keys for
-- equal, without a join. A key that was staged once and changed by this merge has the staged row; any other staged
-- key is suspected: its rows may be told apart by their values alone.
DECLARE rows_before INT64 DEFAULT (SELECT COUNT(*) FROM {main} WHERE {of_day});
{raise_fence}
MERGE {main} AS T
USING (
  SELECT
    {columns}
  FROM {gathered}
  WHERE is_claimed AND (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) = {fence}{newest_of_key}
) AS S
ON T.{of_day} AND {same_key}
WHEN MATCHED AND {is_newer} THEN
  UPDATE SET
    {assignments},
    {changed_at} = {now}
WHEN NOT MATCHED BY TARGET THEN
  INSERT (
    {columns},
    {changed_at}
  )
  VALUES (
    {values},
    {now}
  );
COMMIT TRANSACTION;
SELECT
  rows_before,
  COALESCE(SUM(merged), 0) AS rows_after,
  COALESCE(SUM(changed), 0) AS rows_changed,
  COUNTIF(staged > 0) AS keys_staged,
  COUNTIF(staged > 0 AND merged > 0) AS keys_in_main,
  COUNTIF(staged > 0 AND merged > 1) AS duplicate_keys,
  COUNTIF(newest_merged < newest_staged) AS outdated_keys,
  COUNTIF(staged > 1 OR (staged = 1 AND merged > changed)) AS suspected_keys,
  (SELECT MAX(fence) FROM {fences} WHERE lock_key = {lock_key}) AS fence
FROM (
  SELECT
    {key},
    COUNTIF(is_staged) AS staged,
    COUNTIF(NOT is_staged) AS merged,
    COUNTIF(is_changed) AS changed,
    MAX(IF(is_staged, {newest}, NULL)) AS newest_staged,
    MAX(IF(is_staged, NULL, {newest})) AS newest_merged
  FROM (
    SELECT {key}, {newest}, TRUE AS is_staged, FALSE AS is_changed
    FROM {gathered}
    WHERE is_claimed
    UNION ALL
    SELECT {key}, {newest}, FALSE AS is_staged, {changed_at} = {now} AS is_changed
    FROM {main}
    WHERE {of_day}
  )
  GROUP BY {key}
);

-- name: contradicting
-- Staged rows with the key, time and id of a row of the main table, and another value. Which of the two counts
-- nobody can say, so whichever came first stays, and the receipt tells that one was dropped. Reads whole rows:
-- asked only where a key is suspected.
SELECT COUNT(*) AS contradicting_rows
FROM {main} AS T
JOIN {gathered} AS S
ON {same_key} AND {same_order}
WHERE T.{of_day} AND S.is_claimed AND (
  {differs}
)

-- name: duplicates
-- The keys of a day that are there more than once, in an order in which two reports can be compared.
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
