# The memory of jobs that others deploy, as measured use allows. Off: a job is taken over only when its image is named in
# rightsized_job_images, and has to be imported first:
#   terraform import 'google_cloud_run_v2_job.rightsized["mlb-gap-detection"]' projects/P/locations/R/jobs/mlb-gap-detection
#
# Saving, at $0.0000025 per GiB-second: a job that runs 24 times a day for 60 s uses 24 × 60 × 30 = 43,200 s a month, and
# 128 MiB less for it are 5,400 GiB-s, $0.014 a month; 256 MiB less $0.027. All seven: $0.14 a month, $1.62 a year. The
# study's $200 a year would need these jobs to run all day long.

locals {
  rightsized_memory_mib = {
    mlb-gap-detection                 = 384
    mlb-freshness-checker             = 384
    mlb-prediction-coverage           = 384
    mlb-stall-detector                = 384
    mlb-schedule-validator            = 256
    mlb-pitcher-props-validator       = 256
    mlb-prediction-coverage-validator = 256
  }
}

resource "google_cloud_run_v2_job" "rightsized" {
  for_each = var.rightsized_job_images

  name                = each.key
  location            = var.region
  deletion_protection = true

  template {
    template {
      containers {
        image = each.value

        resources {
          limits = {
            cpu    = "1"
            memory = "${local.rightsized_memory_mib[each.key]}Mi"
          }
        }
      }
    }
  }

  lifecycle {
    # All but the memory stays with who deploys it.
    ignore_changes = [
      annotations,
      client,
      client_version,
      labels,
      template[0].annotations,
      template[0].labels,
      template[0].parallelism,
      template[0].task_count,
      template[0].template[0].containers[0].args,
      template[0].template[0].containers[0].command,
      template[0].template[0].containers[0].env,
      template[0].template[0].containers[0].image,
      template[0].template[0].max_retries,
      template[0].template[0].service_account,
      template[0].template[0].timeout,
    ]
  }
}
