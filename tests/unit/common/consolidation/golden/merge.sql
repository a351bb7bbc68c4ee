DECLARE rows_before INT64 DEFAULT (SELECT COUNT(*) FROM `nba_predictions.player_prop_predictions` WHERE game_date = DATE '2026-01-17');
INSERT INTO `nba_predictions.consolidation_fences` (lock_key, fence, game_date, updated_at)
SELECT 'consolidation_2026-01-17', 0, DATE '2026-01-17', TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
FROM UNNEST([1])
WHERE NOT EXISTS (SELECT 1 FROM `nba_predictions.consolidation_fences` WHERE lock_key = 'consolidation_2026-01-17');
BEGIN TRANSACTION;
UPDATE `nba_predictions.consolidation_fences`
SET fence = 7, updated_at = TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
WHERE lock_key = 'consolidation_2026-01-17' AND fence <= 7;
MERGE `nba_predictions.player_prop_predictions` AS T
USING (
  SELECT
    prediction_id,
    system_id,
    player_lookup,
    universal_player_id,
    game_date,
    game_id,
    prediction_version,
    predicted_points,
    confidence_score,
    recommendation,
    has_prop_line,
    is_actionable,
    filter_reason,
    similarity_baseline,
    fatigue_adjustment,
    shot_zone_adjustment,
    referee_adjustment,
    look_ahead_adjustment,
    pace_adjustment,
    usage_spike_adjustment,
    home_away_adjustment,
    tier_adjustment,
    other_adjustments,
    adjusted_points,
    scoring_tier,
    similar_games_count,
    avg_similarity_score,
    min_similarity_score,
    line_margin,
    current_points_line,
    ml_model_id,
    model_version,
    line_source,
    estimated_line_value,
    estimation_method,
    line_source_api,
    sportsbook,
    was_line_fallback,
    line_minutes_before_game,
    prediction_variance,
    system_agreement_score,
    contributing_systems,
    key_factors,
    warnings,
    feature_importance,
    expected_games_count,
    actual_games_count,
    missing_games_count,
    completeness_percentage,
    is_production_ready,
    data_quality_issues,
    last_reprocess_attempt_at,
    reprocess_attempt_count,
    circuit_breaker_active,
    circuit_breaker_until,
    manual_override_required,
    season_boundary_detected,
    backfill_bootstrap_mode,
    processing_decision_reason,
    is_active,
    superseded_by,
    injury_status_at_prediction,
    injury_flag_at_prediction,
    injury_reason_at_prediction,
    injury_checked_at,
    created_at,
    updated_at
  FROM `nba_predictions._gathered_b1_1_7`
  WHERE is_claimed AND (SELECT MAX(fence) FROM `nba_predictions.consolidation_fences` WHERE lock_key = 'consolidation_2026-01-17') = 7
  QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, player_lookup, system_id, current_points_line ORDER BY created_at DESC, prediction_id DESC) = 1
) AS S
ON T.game_date = DATE '2026-01-17' AND T.game_id = S.game_id AND T.player_lookup = S.player_lookup AND T.system_id = S.system_id AND T.current_points_line IS NOT DISTINCT FROM S.current_points_line
WHEN MATCHED AND (S.created_at > T.created_at OR (S.created_at = T.created_at AND S.prediction_id > T.prediction_id)) THEN
  UPDATE SET
    prediction_id = S.prediction_id,
    universal_player_id = S.universal_player_id,
    prediction_version = S.prediction_version,
    predicted_points = S.predicted_points,
    confidence_score = S.confidence_score,
    recommendation = S.recommendation,
    has_prop_line = S.has_prop_line,
    is_actionable = S.is_actionable,
    filter_reason = S.filter_reason,
    similarity_baseline = S.similarity_baseline,
    fatigue_adjustment = S.fatigue_adjustment,
    shot_zone_adjustment = S.shot_zone_adjustment,
    referee_adjustment = S.referee_adjustment,
    look_ahead_adjustment = S.look_ahead_adjustment,
    pace_adjustment = S.pace_adjustment,
    usage_spike_adjustment = S.usage_spike_adjustment,
    home_away_adjustment = S.home_away_adjustment,
    tier_adjustment = S.tier_adjustment,
    other_adjustments = S.other_adjustments,
    adjusted_points = S.adjusted_points,
    scoring_tier = S.scoring_tier,
    similar_games_count = S.similar_games_count,
    avg_similarity_score = S.avg_similarity_score,
    min_similarity_score = S.min_similarity_score,
    line_margin = S.line_margin,
    ml_model_id = S.ml_model_id,
    model_version = S.model_version,
    line_source = S.line_source,
    estimated_line_value = S.estimated_line_value,
    estimation_method = S.estimation_method,
    line_source_api = S.line_source_api,
    sportsbook = S.sportsbook,
    was_line_fallback = S.was_line_fallback,
    line_minutes_before_game = S.line_minutes_before_game,
    prediction_variance = S.prediction_variance,
    system_agreement_score = S.system_agreement_score,
    contributing_systems = S.contributing_systems,
    key_factors = S.key_factors,
    warnings = S.warnings,
    feature_importance = S.feature_importance,
    expected_games_count = S.expected_games_count,
    actual_games_count = S.actual_games_count,
    missing_games_count = S.missing_games_count,
    completeness_percentage = S.completeness_percentage,
    is_production_ready = S.is_production_ready,
    data_quality_issues = S.data_quality_issues,
    last_reprocess_attempt_at = S.last_reprocess_attempt_at,
    reprocess_attempt_count = S.reprocess_attempt_count,
    circuit_breaker_active = S.circuit_breaker_active,
    circuit_breaker_until = S.circuit_breaker_until,
    manual_override_required = S.manual_override_required,
    season_boundary_detected = S.season_boundary_detected,
    backfill_bootstrap_mode = S.backfill_bootstrap_mode,
    processing_decision_reason = S.processing_decision_reason,
    is_active = S.is_active,
    superseded_by = S.superseded_by,
    injury_status_at_prediction = S.injury_status_at_prediction,
    injury_flag_at_prediction = S.injury_flag_at_prediction,
    injury_reason_at_prediction = S.injury_reason_at_prediction,
    injury_checked_at = S.injury_checked_at,
    created_at = S.created_at,
    updated_at = TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
WHEN NOT MATCHED BY TARGET THEN
  INSERT (
    prediction_id,
    system_id,
    player_lookup,
    universal_player_id,
    game_date,
    game_id,
    prediction_version,
    predicted_points,
    confidence_score,
    recommendation,
    has_prop_line,
    is_actionable,
    filter_reason,
    similarity_baseline,
    fatigue_adjustment,
    shot_zone_adjustment,
    referee_adjustment,
    look_ahead_adjustment,
    pace_adjustment,
    usage_spike_adjustment,
    home_away_adjustment,
    tier_adjustment,
    other_adjustments,
    adjusted_points,
    scoring_tier,
    similar_games_count,
    avg_similarity_score,
    min_similarity_score,
    line_margin,
    current_points_line,
    ml_model_id,
    model_version,
    line_source,
    estimated_line_value,
    estimation_method,
    line_source_api,
    sportsbook,
    was_line_fallback,
    line_minutes_before_game,
    prediction_variance,
    system_agreement_score,
    contributing_systems,
    key_factors,
    warnings,
    feature_importance,
    expected_games_count,
    actual_games_count,
    missing_games_count,
    completeness_percentage,
    is_production_ready,
    data_quality_issues,
    last_reprocess_attempt_at,
    reprocess_attempt_count,
    circuit_breaker_active,
    circuit_breaker_until,
    manual_override_required,
    season_boundary_detected,
    backfill_bootstrap_mode,
    processing_decision_reason,
    is_active,
    superseded_by,
    injury_status_at_prediction,
    injury_flag_at_prediction,
    injury_reason_at_prediction,
    injury_checked_at,
    created_at,
    updated_at
  )
  VALUES (
    S.prediction_id,
    S.system_id,
    S.player_lookup,
    S.universal_player_id,
    S.game_date,
    S.game_id,
    S.prediction_version,
    S.predicted_points,
    S.confidence_score,
    S.recommendation,
    S.has_prop_line,
    S.is_actionable,
    S.filter_reason,
    S.similarity_baseline,
    S.fatigue_adjustment,
    S.shot_zone_adjustment,
    S.referee_adjustment,
    S.look_ahead_adjustment,
    S.pace_adjustment,
    S.usage_spike_adjustment,
    S.home_away_adjustment,
    S.tier_adjustment,
    S.other_adjustments,
    S.adjusted_points,
    S.scoring_tier,
    S.similar_games_count,
    S.avg_similarity_score,
    S.min_similarity_score,
    S.line_margin,
    S.current_points_line,
    S.ml_model_id,
    S.model_version,
    S.line_source,
    S.estimated_line_value,
    S.estimation_method,
    S.line_source_api,
    S.sportsbook,
    S.was_line_fallback,
    S.line_minutes_before_game,
    S.prediction_variance,
    S.system_agreement_score,
    S.contributing_systems,
    S.key_factors,
    S.warnings,
    S.feature_importance,
    S.expected_games_count,
    S.actual_games_count,
    S.missing_games_count,
    S.completeness_percentage,
    S.is_production_ready,
    S.data_quality_issues,
    S.last_reprocess_attempt_at,
    S.reprocess_attempt_count,
    S.circuit_breaker_active,
    S.circuit_breaker_until,
    S.manual_override_required,
    S.season_boundary_detected,
    S.backfill_bootstrap_mode,
    S.processing_decision_reason,
    S.is_active,
    S.superseded_by,
    S.injury_status_at_prediction,
    S.injury_flag_at_prediction,
    S.injury_reason_at_prediction,
    S.injury_checked_at,
    S.created_at,
    TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
  );
COMMIT TRANSACTION;
WITH staged AS (
  SELECT game_id, player_lookup, system_id, current_points_line, MAX(created_at) AS created_at
  FROM `nba_predictions._gathered_b1_1_7`
  WHERE is_claimed
  GROUP BY game_id, player_lookup, system_id, current_points_line
),
merged AS (
  SELECT game_id, player_lookup, system_id, current_points_line, COUNT(*) AS copies, MAX(created_at) AS created_at
  FROM `nba_predictions.player_prop_predictions`
  WHERE game_date = DATE '2026-01-17'
  GROUP BY game_id, player_lookup, system_id, current_points_line
),
compared AS (
  SELECT
    COUNT(*) AS keys_staged,
    COUNTIF(merged.copies IS NOT NULL) AS keys_in_main,
    COUNTIF(merged.copies > 1) AS duplicate_keys,
    COUNTIF(merged.created_at < staged.created_at) AS outdated_keys
  FROM staged
  LEFT JOIN merged ON staged.game_id = merged.game_id AND staged.player_lookup = merged.player_lookup AND staged.system_id = merged.system_id AND staged.current_points_line IS NOT DISTINCT FROM merged.current_points_line
),
suspected AS (
  SELECT game_id, player_lookup, system_id, current_points_line, created_at, prediction_id
  FROM `nba_predictions.player_prop_predictions`
  WHERE game_date = DATE '2026-01-17' AND updated_at IS DISTINCT FROM TIMESTAMP '2026-01-17 23:00:00.123456+00:00'
  UNION DISTINCT
  SELECT game_id, player_lookup, system_id, current_points_line, created_at, prediction_id
  FROM `nba_predictions._gathered_b1_1_7`
  WHERE is_claimed
  GROUP BY game_id, player_lookup, system_id, current_points_line, created_at, prediction_id
  HAVING COUNT(*) > 1
),
contradicting AS (
  SELECT COUNT(*) AS contradicting_rows
  FROM suspected AS P
  JOIN `nba_predictions._gathered_b1_1_7` AS S
  ON P.game_id = S.game_id AND P.player_lookup = S.player_lookup AND P.system_id = S.system_id AND P.current_points_line IS NOT DISTINCT FROM S.current_points_line AND P.created_at = S.created_at AND P.prediction_id = S.prediction_id
  JOIN `nba_predictions.player_prop_predictions` AS T
  ON T.game_date = DATE '2026-01-17' AND P.game_id = T.game_id AND P.player_lookup = T.player_lookup AND P.system_id = T.system_id AND P.current_points_line IS NOT DISTINCT FROM T.current_points_line AND P.created_at = T.created_at AND P.prediction_id = T.prediction_id
  WHERE S.is_claimed AND (
    T.universal_player_id IS DISTINCT FROM S.universal_player_id OR
    T.prediction_version IS DISTINCT FROM S.prediction_version OR
    T.predicted_points IS DISTINCT FROM S.predicted_points OR
    T.confidence_score IS DISTINCT FROM S.confidence_score OR
    T.recommendation IS DISTINCT FROM S.recommendation OR
    T.has_prop_line IS DISTINCT FROM S.has_prop_line OR
    T.is_actionable IS DISTINCT FROM S.is_actionable OR
    T.filter_reason IS DISTINCT FROM S.filter_reason OR
    T.similarity_baseline IS DISTINCT FROM S.similarity_baseline OR
    T.fatigue_adjustment IS DISTINCT FROM S.fatigue_adjustment OR
    T.shot_zone_adjustment IS DISTINCT FROM S.shot_zone_adjustment OR
    T.referee_adjustment IS DISTINCT FROM S.referee_adjustment OR
    T.look_ahead_adjustment IS DISTINCT FROM S.look_ahead_adjustment OR
    T.pace_adjustment IS DISTINCT FROM S.pace_adjustment OR
    T.usage_spike_adjustment IS DISTINCT FROM S.usage_spike_adjustment OR
    T.home_away_adjustment IS DISTINCT FROM S.home_away_adjustment OR
    T.tier_adjustment IS DISTINCT FROM S.tier_adjustment OR
    T.other_adjustments IS DISTINCT FROM S.other_adjustments OR
    T.adjusted_points IS DISTINCT FROM S.adjusted_points OR
    T.scoring_tier IS DISTINCT FROM S.scoring_tier OR
    T.similar_games_count IS DISTINCT FROM S.similar_games_count OR
    T.avg_similarity_score IS DISTINCT FROM S.avg_similarity_score OR
    T.min_similarity_score IS DISTINCT FROM S.min_similarity_score OR
    T.line_margin IS DISTINCT FROM S.line_margin OR
    T.ml_model_id IS DISTINCT FROM S.ml_model_id OR
    T.model_version IS DISTINCT FROM S.model_version OR
    T.line_source IS DISTINCT FROM S.line_source OR
    T.estimated_line_value IS DISTINCT FROM S.estimated_line_value OR
    T.estimation_method IS DISTINCT FROM S.estimation_method OR
    T.line_source_api IS DISTINCT FROM S.line_source_api OR
    T.sportsbook IS DISTINCT FROM S.sportsbook OR
    T.was_line_fallback IS DISTINCT FROM S.was_line_fallback OR
    T.line_minutes_before_game IS DISTINCT FROM S.line_minutes_before_game OR
    T.prediction_variance IS DISTINCT FROM S.prediction_variance OR
    T.system_agreement_score IS DISTINCT FROM S.system_agreement_score OR
    T.contributing_systems IS DISTINCT FROM S.contributing_systems OR
    TO_JSON_STRING(T.key_factors) IS DISTINCT FROM TO_JSON_STRING(S.key_factors) OR
    TO_JSON_STRING(T.warnings) IS DISTINCT FROM TO_JSON_STRING(S.warnings) OR
    TO_JSON_STRING(T.feature_importance) IS DISTINCT FROM TO_JSON_STRING(S.feature_importance) OR
    T.expected_games_count IS DISTINCT FROM S.expected_games_count OR
    T.actual_games_count IS DISTINCT FROM S.actual_games_count OR
    T.missing_games_count IS DISTINCT FROM S.missing_games_count OR
    T.completeness_percentage IS DISTINCT FROM S.completeness_percentage OR
    T.is_production_ready IS DISTINCT FROM S.is_production_ready OR
    TO_JSON_STRING(T.data_quality_issues) IS DISTINCT FROM TO_JSON_STRING(S.data_quality_issues) OR
    T.last_reprocess_attempt_at IS DISTINCT FROM S.last_reprocess_attempt_at OR
    T.reprocess_attempt_count IS DISTINCT FROM S.reprocess_attempt_count OR
    T.circuit_breaker_active IS DISTINCT FROM S.circuit_breaker_active OR
    T.circuit_breaker_until IS DISTINCT FROM S.circuit_breaker_until OR
    T.manual_override_required IS DISTINCT FROM S.manual_override_required OR
    T.season_boundary_detected IS DISTINCT FROM S.season_boundary_detected OR
    T.backfill_bootstrap_mode IS DISTINCT FROM S.backfill_bootstrap_mode OR
    T.processing_decision_reason IS DISTINCT FROM S.processing_decision_reason OR
    T.is_active IS DISTINCT FROM S.is_active OR
    T.superseded_by IS DISTINCT FROM S.superseded_by OR
    T.injury_status_at_prediction IS DISTINCT FROM S.injury_status_at_prediction OR
    T.injury_flag_at_prediction IS DISTINCT FROM S.injury_flag_at_prediction OR
    T.injury_reason_at_prediction IS DISTINCT FROM S.injury_reason_at_prediction OR
    T.injury_checked_at IS DISTINCT FROM S.injury_checked_at
  )
),
changed AS (
  SELECT COUNT(*) AS rows_after, COUNTIF(updated_at = TIMESTAMP '2026-01-17 23:00:00.123456+00:00') AS rows_changed
  FROM `nba_predictions.player_prop_predictions`
  WHERE game_date = DATE '2026-01-17'
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
  (SELECT MAX(fence) FROM `nba_predictions.consolidation_fences` WHERE lock_key = 'consolidation_2026-01-17') AS fence
FROM compared
CROSS JOIN contradicting
CROSS JOIN changed;
