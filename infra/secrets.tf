# The names of the secrets that the manifest asks for, and who may read each. Their values are nobody's here: a value in
# Terraform is a value in its state.
#   gcloud secrets versions add slack-webhook-url --data-file=-
#
# Cost: $0.06 per active version and month, $0.03 per 10,000 reads: two secrets, 12 cents.

locals {
  secrets = {
    for variable in distinct(flatten([for function in values(local.manifest.functions) : function.secrets])) :
    variable => lower(replace(variable, "_", "-"))
  }

  secret_readers = merge([
    for name, function in local.manifest.functions : {
      for variable in function.secrets : "${name} ${variable}" => { function = name, variable = variable }
    }
  ]...)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  secret_id           = each.value
  deletion_protection = true
  labels              = local.labels

  replication {
    auto {}
  }

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_readers

  secret_id = google_secret_manager_secret.this[each.value.variable].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
