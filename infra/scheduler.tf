# The clock speaks on topics, so that what it wakes is redelivered like any other event. UTC: a schedule that follows New
# York would leave out an hour in March and repeat one in November.
#
# Cost: $0.10 per job and month after the first three: two jobs a sport, four for both, $0.10.

locals {
  ticks = {
    PHASE_SWEEP = {
      schedule    = "*/10 * * * *"
      description = "Resume what fell due by the clock: tiers, gates, deadlines, owed triggers"
    }
    CONSISTENCY_AUDIT = {
      schedule    = "0 * * * *"
      description = "Look for what is stuck, inconsistent or absent"
    }
  }

  schedules = merge([
    for sport in var.sports : {
      for constant, tick in local.ticks :
      "${sport}-${local.registry[constant].base_name}" => merge(tick, { sport = sport, constant = constant })
    }
  ]...)
}

resource "google_cloud_scheduler_job" "tick" {
  for_each = local.schedules

  name        = each.key
  region      = var.region
  description = each.value.description
  schedule    = each.value.schedule
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.this[each.key].id
    # An empty message would be a dead letter.
    data = base64encode("{}")
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }

  depends_on = [google_project_service.this]
}
