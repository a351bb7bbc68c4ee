SELECT COUNT(*) AS contradicting_rows
FROM `nba_predictions.player_prop_predictions` AS T
JOIN `nba_predictions._gathered_b1_1_7` AS S
ON T.game_id = S.game_id AND T.player_lookup = S.player_lookup AND T.system_id = S.system_id AND T.current_points_line IS NOT DISTINCT FROM S.current_points_line AND T.created_at = S.created_at AND T.prediction_id = S.prediction_id
WHERE T.game_date = DATE '2026-01-17' AND S.is_claimed AND (
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
