# An account for each function, with what it needs and no more. What it publishes follows from the registry; what it
# reads and writes stands in the table below, and a function without a line in it fails the plan.

locals {
  # Datasets by role of common/sport.py. `publishes` is what goes beyond the registry: repairs by the auditor.
  access = {
    completion_recorder = {
      project_roles = ["roles/datastore.user"]
      reads         = []
      writes        = []
      publishes     = []
      status_page   = false
    }
    consolidation_trigger = {
      project_roles = ["roles/datastore.user", "roles/bigquery.jobUser"]
      reads         = []
      writes        = ["predictions", "orchestration"]
      publishes     = []
      status_page   = false
    }
    phase_transitions = {
      project_roles = ["roles/datastore.user", "roles/bigquery.jobUser"]
      reads         = ["raw", "analytics", "precompute", "predictions"]
      writes        = ["orchestration"]
      publishes     = []
      status_page   = false
    }
    consistency_auditor = {
      # It compares the subscriptions with the registry, and looks whether dead letters wait in theirs.
      project_roles = ["roles/datastore.user", "roles/bigquery.jobUser", "roles/pubsub.viewer"]
      reads         = ["raw", "analytics", "precompute", "reference"]
      writes        = ["predictions", "orchestration"]
      publishes = [
        "PREDICTION_BATCH_COMPLETE", "PREDICTION_REQUEST", "PREDICTIONS_TRIGGER", "PHASE3_TRIGGER", "PHASE4_TRIGGER",
        "PHASE5_PREDICTIONS_COMPLETE", "PHASE6_EXPORT_TRIGGER",
      ]
      status_page = true
    }
  }

  functions = { for name, settings in local.manifest.functions : name => merge(settings, local.access[name]) }

  project_roles = merge([
    for name, function in local.functions : {
      for role in function.project_roles : "${name} ${role}" => { function = name, role = role }
    }
  ]...)

  # A function speaks on its own topics, and on the dead-letter topic of whatever it hears.
  spoken = merge(flatten([
    for sport in var.sports : [
      for name, function in local.functions : {
        for constant in distinct(concat(
          [for constant, entry in local.registry : constant if entry.publisher == name],
          function.publishes,
        )) :
        "${name} ${sport}-${local.registry[constant].base_name}" => {
          function = name
          topic    = "${sport}-${local.registry[constant].base_name}"
        }
      }
    ]
  ])...)

  dead_lettered = merge(flatten([
    for sport in var.sports : [
      for name, function in local.functions : {
        for constant in function.trigger_topics :
        "${name} ${sport}-${local.registry[constant].base_name}" => {
          function = name
          topic    = "${sport}-${local.registry[constant].base_name}"
        }
      }
    ]
  ])...)

  outside_publishers = merge(flatten([
    for sport in var.sports : [
      for constant, members in var.outside_publishers : {
        for member in members : "${member} ${sport}-${local.registry[constant].base_name}" => {
          member = member
          topic  = "${sport}-${local.registry[constant].base_name}"
        }
      }
    ]
  ])...)

  outside_subscribers = merge([
    for name, subscription in local.pull_subscriptions : {
      for member in lookup(var.outside_subscribers, subscription.constant, []) :
      "${member} ${name}" => { member = member, subscription = name }
    }
  ]...)
}

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = each.value.service_account
  display_name = "Function ${each.key}"
}

resource "google_project_iam_member" "function" {
  for_each = local.project_roles

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.spoken

  topic  = google_pubsub_topic.this[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "dead_letters_from_function" {
  for_each = local.dead_lettered

  topic  = google_pubsub_topic.dead_letter[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "outside_publisher" {
  for_each = local.outside_publishers

  topic  = google_pubsub_topic.this[each.value.topic].id
  role   = "roles/pubsub.publisher"
  member = each.value.member
}

resource "google_pubsub_subscription_iam_member" "outside_subscriber" {
  for_each = local.outside_subscribers

  subscription = google_pubsub_subscription.pull[each.value.subscription].id
  role         = "roles/pubsub.subscriber"
  member       = each.value.member
}

# The auditor looks at the dead letters that wait, and gives them back at once.
resource "google_pubsub_subscription_iam_member" "dead_letters_looked_at" {
  for_each = contains(keys(local.functions), "consistency_auditor") ? local.topics : {}

  subscription = google_pubsub_subscription.dead_letter[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.function["consistency_auditor"].member
}

# The identity in which Pub/Sub pushes. It may call the functions and nothing else, and only Pub/Sub may sign as it.
resource "google_service_account" "event_invoker" {
  account_id   = "event-invoker"
  display_name = "Pushes events to the functions"
}

resource "google_service_account_iam_member" "pubsub_signs_as_event_invoker" {
  service_account_id = google_service_account.event_invoker.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

# Builds the images of ./deploy.sh, instead of the project's default account, which may edit everything.
resource "google_service_account" "build" {
  account_id   = "function-build"
  display_name = "Builds the functions"
}

resource "google_project_iam_member" "build" {
  project = var.project_id
  role    = "roles/run.builder"
  member  = google_service_account.build.member
}

# Who deploys may change the services, let them run as their accounts, and try a revision: a topic and a push
# subscription of its own, whose answer is a document. infra/deployment/preflight.py checks for the same roles.
locals {
  deployer_roles = [
    "roles/datastore.user", "roles/iam.securityReviewer", "roles/pubsub.editor", "roles/run.sourceDeveloper",
    "roles/secretmanager.viewer", "roles/serviceusage.serviceUsageConsumer",
  ]
}

resource "google_project_iam_member" "deployer" {
  for_each = { for pair in setproduct(var.deployers, local.deployer_roles) : join(" ", pair) => pair }

  project = var.project_id
  role    = each.value[1]
  member  = each.value[0]
}

resource "google_service_account_iam_member" "deployer" {
  for_each = merge([
    for member in var.deployers : {
      for name, account in merge(google_service_account.function, {
        build         = google_service_account.build
        event_invoker = google_service_account.event_invoker
      }) :
      "${member} ${name}" => { member = member, account = account.name }
    }
  ]...)

  service_account_id = each.value.account
  role               = "roles/iam.serviceAccountUser"
  member             = each.value.member
}
