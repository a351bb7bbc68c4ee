# Datasets and who may work in them. The tables are made by infra/sql alone.
#
# Cost: $6.25 per TiB read, storage $0.02 per GiB and month. A consolidation reads one partition of the main table: 450
# players × 5 systems × 1 KB = 2.3 MB, billed as the minimum of 10 MB per table: 30 of them a month are 0.3 GB, nothing.
# The MERGE of the legacy system read the whole table, 2.07 GB a run; hourly that is 1.5 TB and $9.10 a month.

locals {
  dataset_roles = toset(["raw", "analytics", "precompute", "predictions", "reference", "orchestration"])

  datasets = merge([
    for sport in var.sports : { for role in local.dataset_roles : "${sport}_${role}" => { sport = sport, role = role } }
  ]...)

  dataset_access = merge(flatten([
    for sport in var.sports : [
      for name, function in local.functions : merge(
        { for role in function.reads : "${name} reads ${sport}_${role}" => {
          function = name, dataset = "${sport}_${role}", role = "roles/bigquery.dataViewer"
        } },
        { for role in function.writes : "${name} writes ${sport}_${role}" => {
          function = name, dataset = "${sport}_${role}", role = "roles/bigquery.dataEditor"
        } },
      )
    ]
  ])...)
}

resource "google_bigquery_dataset" "this" {
  for_each = local.datasets

  dataset_id                 = each.key
  location                   = var.bigquery_location
  delete_contents_on_destroy = false
  max_time_travel_hours      = "168"
  labels                     = merge(local.labels, { sport = each.value.sport })

  depends_on = [google_project_service.this]
}

resource "google_bigquery_dataset_iam_member" "function" {
  for_each = local.dataset_access

  dataset_id = google_bigquery_dataset.this[each.value.dataset].dataset_id
  role       = each.value.role
  member     = google_service_account.function[each.value.function].member
}
