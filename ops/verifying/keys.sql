-- What `verify` shows of the players of whom the audit has found something.

-- name: keys
-- The keys of these players on a date, with how often each is there and when it was changed last (NULL: by
-- something that leaves no mark). One more than the limit tells that there are more.
SELECT {keys}, COUNT(*) AS copies, MAX({changed_at}) AS changed_at, COUNTIF({changed_at} IS NULL) > 0 AS unmarked
FROM {main}
WHERE {partition} = @game_date AND {item} IN UNNEST(@players)
GROUP BY {keys}
ORDER BY {keys}
LIMIT @most
