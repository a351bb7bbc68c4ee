# What tells a person, on top of the auditor's own findings: seen from outside, so that it speaks when the functions do
# not. Each says in its documentation what to do.
#
# Cost: Google's own metrics are free, and so are alert policies on them until $0.10 per condition and month is charged
# (announced for 2026): 5 policies a sport with 10 conditions at most, $1.

locals {
  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    tolist(var.notification_channels),
  )

  # Services by what wakes them: whoever hears a tick must have answered one lately.
  heartbeats = merge(flatten([
    for name, service in local.services : [
      for constant, silence in { PHASE_SWEEP = 3600, CONSISTENCY_AUDIT = 10800 } :
      { "${name} ${constant}" = { service = name, sport = service.sport, constant = constant, silence = silence } }
      if contains(service.settings.trigger_topics, constant)
    ]
  ])...)

  push_pattern    = { for sport in var.sports : sport => join("|", [for name, each in local.push_subscriptions : name if each.sport == sport]) }
  service_pattern = { for sport in var.sports : sport => join("|", [for name, each in local.services : name if each.sport == sport]) }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  type         = "email"
  display_name = each.key
  labels       = { email_address = each.key }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  for_each = var.sports

  display_name          = "${each.key}: dead letters"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { sport = each.key })

  conditions {
    display_name = "A message waits in a dead-letter subscription"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"${each.key}-.*-dlq-sub\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${each.key}: something could not be handled"
    content   = <<-EOT
      A function gave up on a message, or Pub/Sub did after the last attempt. It is kept for 7 days.

      1. `./ops/run dead-letters` shows each with its reason (the document in `dead_letters/`, or the attributes of the message).
      2. Mend the cause, then `./ops/run dead-letters replay ID --why …`; or `discard` it.
    EOT
  }
}

resource "google_monitoring_alert_policy" "oldest_message" {
  for_each = var.sports

  display_name          = "${each.key}: messages wait"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { sport = each.key })

  conditions {
    display_name = "A function has not acknowledged a message for 30 minutes"

    condition_threshold {
      filter          = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"${local.push_pattern[each.key]}\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 1800
      duration        = "300s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${each.key}: an event is not being handled"
    content   = <<-EOT
      An event is delivered again and again: its batch does not exist yet, a lock is held, a store is down, or the function may not be called.

      1. `./ops/run status`, then `./ops/run explain BATCH` for what stands still.
      2. `./deploy.sh --status`: does what runs equal the repository, the invoker binding and the subscription included?
      3. Nothing is lost for half a day; after that it becomes a dead letter.
    EOT
  }
}

resource "google_monitoring_alert_policy" "errors" {
  for_each = var.sports

  display_name          = "${each.key}: functions fail"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { sport = each.key })

  # 503 is "not yet" or a held lock, said on purpose; 403 would be a lost invoker binding.
  conditions {
    display_name = "More than a tenth of the requests failed for 15 minutes"

    condition_threshold {
      filter             = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND resource.labels.service_name = monitoring.regex.full_match(\"${local.service_pattern[each.key]}\") AND metric.labels.response_code != \"200\" AND metric.labels.response_code != \"204\" AND metric.labels.response_code != \"503\""
      denominator_filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND resource.labels.service_name = monitoring.regex.full_match(\"${local.service_pattern[each.key]}\")"
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.1
      duration           = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.service_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${each.key}: a function fails"
    content   = <<-EOT
      1. `gcloud run services logs read SERVICE --region ${var.region} --limit 50` names the fault.
      2. After a deployment: `./deploy.sh --rollback --only FUNCTION …` moves the traffic back.
      3. 403 means that the push identity may not call it: `terraform apply` restores the binding.
    EOT
  }
}

resource "google_monitoring_alert_policy" "latency" {
  for_each = local.services

  display_name          = "${each.key}: slow"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { sport = each.value.sport })

  conditions {
    display_name = "95th percentile above 80 % of the time limit for 15 minutes"

    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_latencies\" AND resource.labels.service_name = \"${each.key}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.settings.timeout_seconds * 1000 * 0.8
      duration        = "900s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_95"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${each.key}: about to run into its time limit"
    content   = <<-EOT
      Beyond the limit a request is cut off and delivered again.

      1. `./ops/run status`: is a batch unusually large, or a store slow?
      2. Raise `timeout_seconds` in `functions/manifest.json` (with the acknowledgement deadline in `common/topics.json`), then `terraform apply` and `./deploy.sh`.
    EOT
  }
}

# Blind to what has never run once, and so is the metric: the auditor judges absence from the schedule, this watches the
# auditor and the sweep.
resource "google_monitoring_alert_policy" "heartbeat" {
  for_each = local.heartbeats

  display_name          = "${each.value.service}: no answer to ${local.registry[each.value.constant].base_name}"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels
  user_labels           = merge(local.labels, { sport = each.value.sport })

  conditions {
    display_name = "Not one successful run for ${each.value.silence / 60} minutes"

    condition_absent {
      filter   = "resource.type = \"pubsub_subscription\" AND metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.labels.subscription_id = \"${each.value.sport}-${local.registry[each.value.constant].base_name}-${trimprefix(each.value.service, "${each.value.sport}-")}-sub\" AND metric.labels.response_class = \"ack\""
      duration = "${each.value.silence}s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_DELTA"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${each.value.service}: nobody watches"
    content   = <<-EOT
      What falls due by the clock is not looked at.

      1. `gcloud scheduler jobs describe ${each.value.sport}-${local.registry[each.value.constant].base_name} --location ${var.region}`: is it paused?
      2. `./deploy.sh --status`: is the function there, with its subscription and its invoker binding?
      3. `gcloud scheduler jobs run ${each.value.sport}-${local.registry[each.value.constant].base_name} --location ${var.region}` sends a tick.
    EOT
  }
}
