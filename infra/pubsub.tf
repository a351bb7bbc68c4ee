# Topics and subscriptions, from the two files that the functions and the local stack read too. Which function hears
# which topic stands in the manifest; how it is delivered to, in the registry. A trigger topic to which the registry
# subscribes no such function fails the plan.
#
# A subscription that Eventarc makes can be given no dead-letter topic, no deadline and no back-off, and its deadline of
# 10 s redelivers whatever takes longer. Hence push subscriptions of our own.
#
# Cost, at $40 per TiB after the first 10 GiB of a month: a day of 450 completions is some 2,000 messages, billed as at
# least 1 KB each for publishing, delivery and dead-letter topic: 2,000 × 30 × 3 KB = 0.18 GB a month, nothing. A day of
# 20,000 players would make 8 GB, still nothing. Retention of 24 h in the topic costs $0.27 per GiB and month: cents.

locals {
  registry = jsondecode(file("${path.module}/../common/topics.json"))
  manifest = jsondecode(file("${path.module}/../functions/manifest.json"))

  # Full name → sport and constant.
  topics = merge([
    for sport in var.sports : {
      for constant, entry in local.registry :
      "${sport}-${entry.base_name}" => { sport = sport, constant = constant, entry = entry }
    }
  ]...)

  # Full name → what it delivers, to whom and how. Named by one rule: {topic}-{subscriber}-sub.
  push_subscriptions = merge(flatten([
    for sport in var.sports : [
      for function, settings in local.manifest.functions : {
        for constant in settings.trigger_topics :
        "${sport}-${local.registry[constant].base_name}-${replace(function, "_", "-")}-sub" => {
          sport    = sport
          function = function
          topic    = "${sport}-${local.registry[constant].base_name}"
          delivery = local.registry[constant].subscriptions[function]
        }
      }
    ]
  ])...)

  pull_subscriptions = merge(flatten([
    for sport in var.sports : [
      for constant, entry in local.registry : {
        for subscriber, delivery in entry.subscriptions :
        "${sport}-${entry.base_name}-${replace(subscriber, "_", "-")}-sub" => {
          sport    = sport
          constant = constant
          topic    = "${sport}-${entry.base_name}"
          delivery = delivery
        } if delivery.delivery == "pull"
      }
    ]
  ])...)

  subscriptions = merge(local.push_subscriptions, local.pull_subscriptions)

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  dead_letter_retention = "604800s"
}

resource "google_pubsub_topic" "this" {
  for_each = local.topics

  name                       = each.key
  message_retention_duration = "${each.value.entry.retention_seconds}s"
  labels                     = merge(local.labels, { sport = each.value.sport })

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "dead_letter" {
  for_each = local.topics

  name   = "${each.key}-dlq"
  labels = merge(local.labels, { sport = each.value.sport })

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.this]
}

# Without a subscription a dead-letter topic loses what it gets. Nobody pulls this one but a person who looks.
resource "google_pubsub_subscription" "dead_letter" {
  for_each = local.topics

  name                       = "${each.key}-dlq-sub"
  topic                      = google_pubsub_topic.dead_letter[each.key].id
  message_retention_duration = local.dead_letter_retention
  ack_deadline_seconds       = 60
  labels                     = merge(local.labels, { sport = each.value.sport })

  # By default a subscription is removed after 31 days without a reader, which is what a healthy one of these looks like.
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.push_subscriptions

  name                       = each.key
  topic                      = google_pubsub_topic.this[each.value.topic].id
  ack_deadline_seconds       = each.value.delivery.ack_deadline_seconds
  message_retention_duration = "${each.value.delivery.retention_seconds}s"
  labels                     = merge(local.labels, { sport = each.value.sport })

  # The path names the topic: the only way in which a delivery can tell where it comes from.
  push_config {
    push_endpoint = "${local.addresses[each.value.sport][each.value.function]}/projects/${var.project_id}/topics/${each.value.topic}"

    oidc_token {
      service_account_email = google_service_account.event_invoker.email
      audience              = local.addresses[each.value.sport][each.value.function]
    }
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter[each.value.topic].id
    max_delivery_attempts = each.value.delivery.max_delivery_attempts
  }

  retry_policy {
    minimum_backoff = "${each.value.delivery.min_backoff_seconds}s"
    maximum_backoff = "${each.value.delivery.max_backoff_seconds}s"
  }

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    # A delivery that is still running when its deadline passes is made a second time.
    precondition {
      condition     = each.value.delivery.ack_deadline_seconds >= local.manifest.functions[each.value.function].timeout_seconds
      error_message = "${each.key}: its acknowledgement deadline is shorter than the time limit of ${each.value.function}."
    }
  }

  depends_on = [google_service_account_iam_member.pubsub_signs_as_event_invoker]
}

resource "google_pubsub_subscription" "pull" {
  for_each = local.pull_subscriptions

  name                       = each.key
  topic                      = google_pubsub_topic.this[each.value.topic].id
  ack_deadline_seconds       = each.value.delivery.ack_deadline_seconds
  message_retention_duration = "${each.value.delivery.retention_seconds}s"
  labels                     = merge(local.labels, { sport = each.value.sport })

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter[each.value.topic].id
    max_delivery_attempts = each.value.delivery.max_delivery_attempts
  }

  retry_policy {
    minimum_backoff = "${each.value.delivery.min_backoff_seconds}s"
    maximum_backoff = "${each.value.delivery.max_backoff_seconds}s"
  }

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's own agent forwards to the dead-letter topic and acknowledges here; without both grants it does neither, and
# says nothing.
resource "google_pubsub_topic_iam_member" "dead_letters_from_pubsub" {
  for_each = local.topics

  topic  = google_pubsub_topic.dead_letter[each.key].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "forwarding_by_pubsub" {
  for_each = local.subscriptions

  subscription = try(google_pubsub_subscription.push[each.key].id, google_pubsub_subscription.pull[each.key].id)
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
