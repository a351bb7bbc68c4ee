-- What `verify` shows of the players of whom the audit has found something, or whose rows are others than were merged.

-- name: keys
-- The keys of these players on a date, with how often each is there, when it was changed last (NULL: by something
-- that leaves no mark), and a fingerprint of all the values of its row.
SELECT {keys}, COUNT(*) AS copies, MAX({changed_at}) AS changed_at, COUNTIF({changed_at} IS NULL) > 0 AS unmarked,
  BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(one))) AS fingerprint
FROM {main}
WHERE {partition} = @game_date AND {item} IN UNNEST(@players)
GROUP BY {keys}
ORDER BY {keys}

-- name: fingerprints
-- Per player of a date, how many rows there are, and a fingerprint of all their values, whatever their order.
SELECT {item} AS player, COUNT(*) AS row_count, BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(one))) AS fingerprint
FROM {main}
WHERE {partition} = @game_date
GROUP BY {item}
