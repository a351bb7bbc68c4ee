# What becomes of objects as they age. The buckets exist; import them:
#   terraform import 'google_storage_bucket.this["nba-scraped-data"]' nba-scraped-data
#
# Cost, per GB and month in one US region: Standard $0.020, Nearline $0.010, Coldline $0.004, Archive $0.0012, and at
# least 30, 90 and 365 days of it are paid. Scraped data that goes at 90 days: 30 × $0.020 + 60 × $0.010 = $0.040 per GB
# over its life, against $0.060 all in Standard. In Archive from day 30 it would be charged for 365 days, $0.0144, and
# for writing each object again, $0.05 per 1,000: at 50 KB an object (20,000 per GB) that is $1.00 per GB. Even Nearline
# ($0.01 per 1,000: $0.20 per GB) pays only for objects above 0.5 MB, and hence is asked only for these.
# The study's $4,200 a year are $350 a month, 17.5 TB in Standard; the buckets cost a few dollars a month in all, so that
# some $30 a year is the most that there is to save.

locals {
  # Bucket → what happens after how many days. Archive means Nearline where the object goes soon after.
  lifecycles = merge(
    { for sport in var.sports : "${sport}-scraped-data" => { steps = { NEARLINE = 30 }, delete = 90, versioned = false } },
    contains(var.sports, "nba") ? {
      nba-analytics-raw-data       = { steps = { NEARLINE = 14 }, delete = 60, versioned = false }
      nba-analytics-processed-data = { steps = { NEARLINE = 30 }, delete = 90, versioned = false }
      nba-bigquery-backups         = { steps = { NEARLINE = 7, COLDLINE = 30, ARCHIVE = 90 }, delete = 365, versioned = true }
      nba-ml-models                = { steps = { ARCHIVE = 90 }, delete = 0, versioned = false }
      nba-temp-migration           = { steps = {}, delete = 7, versioned = false }
    } : {},
  )

  # Where moving an object would cost more than leaving it, it stays.
  worth_moving_bytes = 524288
}

resource "google_storage_bucket" "this" {
  for_each = var.manage_buckets ? local.lifecycles : {}

  name                        = each.key
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = local.labels

  dynamic "versioning" {
    for_each = each.value.versioned ? [true] : []

    content {
      enabled = true
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.steps

    content {
      action {
        type          = "SetStorageClass"
        storage_class = lifecycle_rule.key
      }

      condition {
        age              = lifecycle_rule.value
        size_above_bytes = local.worth_moving_bytes
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.value.delete > 0 ? [each.value.delete] : []

    content {
      action {
        type = "Delete"
      }

      condition {
        age = lifecycle_rule.value
      }
    }
  }

  # A version that was overwritten is of no use for longer than the backup that replaced it.
  dynamic "lifecycle_rule" {
    for_each = each.value.versioned ? [true] : []

    content {
      action {
        type = "Delete"
      }

      condition {
        days_since_noncurrent_time = 30
        with_state                 = "ARCHIVED"
      }
    }
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.this]
}

# The status page lies beside the data, under status/, and nothing else of the bucket is the auditor's to touch.
resource "google_storage_bucket_iam_member" "status_page" {
  for_each = merge([
    for sport in var.sports : {
      for name, function in local.functions :
      "${name} ${sport}" => { function = name, bucket = "${sport}-scraped-data" } if function.status_page
    }
  ]...)

  bucket = each.value.bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.function[each.value.function].member

  condition {
    title      = "status page"
    expression = "resource.name.startsWith(\"projects/_/buckets/${each.value.bucket}/objects/status/\")"
  }

  depends_on = [google_storage_bucket.this]
}
