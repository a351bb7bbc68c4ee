-- Rows of the main table that break a rule. BigQuery has no CHECK: the rules of common/predictions/rows.py are enforced
-- before a row is staged, and these views find what came another way. A test holds them against those rules.
-- Each reads the last 30 days, one scan; a reader's predicate on game_date narrows it further.

CREATE OR REPLACE VIEW `{predictions}.v_validation_all_violations`
OPTIONS (description = "Rows of the last 30 days that break a rule, one row per rule broken")
AS
SELECT
  game_date, prediction_id, game_id, player_lookup, system_id, current_points_line, created_at, broken.rule, broken.value
FROM `{predictions}.player_prop_predictions`
CROSS JOIN UNNEST([
  STRUCT(
    'confidence_score' AS rule,
    CAST(confidence_score AS STRING) AS value,
    confidence_score NOT BETWEEN 0 AND 100 AS is_broken
  ),
  STRUCT('predicted_points', CAST(predicted_points AS STRING), predicted_points < 0),
  STRUCT('recommendation', recommendation, recommendation NOT IN ('OVER', 'UNDER', 'PASS', 'NO_LINE')),
  STRUCT('player_lookup', player_lookup, NOT REGEXP_CONTAINS(player_lookup, r'^[a-z0-9]+$')),
  STRUCT('game_id', game_id, game_id = ''),
  STRUCT('system_id', system_id, system_id = ''),
  STRUCT('prediction_id', prediction_id, prediction_id = '')
]) AS broken
WHERE game_date >= DATE_SUB(CURRENT_DATE('America/New_York'), INTERVAL 30 DAY)
  AND broken.is_broken;

CREATE OR REPLACE VIEW `{predictions}.v_validation_confidence_score`
OPTIONS (description = "Rows of the last 30 days whose confidence is not within 0 to 100")
AS
SELECT * FROM `{predictions}.v_validation_all_violations` WHERE rule = 'confidence_score';

CREATE OR REPLACE VIEW `{predictions}.v_validation_predicted_points`
OPTIONS (description = "Rows of the last 30 days with less than 0 predicted points")
AS
SELECT * FROM `{predictions}.v_validation_all_violations` WHERE rule = 'predicted_points';
