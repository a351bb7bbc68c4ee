-- The highest fence under which each day was consolidated. A consolidation writes its row and the main table in
-- one transaction, so that a holder of the lock who was overtaken changes nothing.
-- Neither partitioned nor clustered: a few hundred rows, and conflicts between transactions are per table.
CREATE TABLE IF NOT EXISTS `{predictions}.consolidation_fences` (
  lock_key STRING NOT NULL OPTIONS (description = "Key of the lock: consolidation_2026-01-17"),
  fence INT64 NOT NULL OPTIONS (description = "Only grows"),
  game_date DATE NOT NULL,
  updated_at TIMESTAMP NOT NULL
)
OPTIONS (description = "Fences of the consolidation, one row per lock");
