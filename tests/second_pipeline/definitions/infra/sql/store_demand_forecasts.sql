-- One row per store, article and promotion.
CREATE TABLE IF NOT EXISTS `{predictions}.store_demand_forecasts` (
  forecast_id STRING NOT NULL,
  store_key STRING NOT NULL,
  sku STRING NOT NULL,
  sales_day DATE NOT NULL,
  promotion STRING,
  units NUMERIC(9, 2) NOT NULL,
  weather STRING,
  is_open BOOL DEFAULT TRUE NOT NULL,
  drivers ARRAY<STRING>,
  computed_at TIMESTAMP NOT NULL,
  merged_at TIMESTAMP
)
PARTITION BY sales_day
CLUSTER BY store_key, sku
OPTIONS (require_partition_filter = TRUE);
