# One private service per function and sport. Terraform makes it, keeps it private and says who may call it;
# `deploy.sh` owns what runs in it: code, environment, size, traffic. So the right to call it is there before the first
# revision, and a deployment cannot lose it.
#
# Cost: requests only, no instance is kept warm (min_instances 0). The recorder at 450 completions a day, 50 ms each:
# seconds of CPU a day, within the free 180,000 vCPU-seconds of a month. One instance kept warm for a function would be
# 2,592,000 s × $0.0000025 (idle CPU) + × 0.5 GiB × $0.0000025 = $9.70 a month for each, and saves some 2 s once a day.

locals {
  services = merge([
    for sport in var.sports : {
      for function, settings in local.manifest.functions :
      "${sport}-${replace(function, "_", "-")}" => { sport = sport, function = function, settings = settings }
    }
  ]...)

  # Known before the service exists. Service and number share one label of the address, of at most 63 characters.
  addresses = {
    for sport in var.sports : sport => {
      for function in keys(local.manifest.functions) :
      function => "https://${sport}-${replace(function, "_", "-")}-${data.google_project.this.number}.${var.region}.run.app"
    }
  }
}

resource "google_cloud_run_v2_service" "function" {
  for_each = local.services

  name                = each.key
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = true
  labels              = merge(local.labels, { sport = each.value.sport })

  # Until the first deployment: a web server without a page, which listens where Cloud Run expects it and answers a POST
  # with 404 or 405, so that no event is acknowledged before there is a function to handle it. Without a command or a port
  # of its own: gcloud would carry those over to the function.
  template {
    service_account                  = google_service_account.function[each.value.function].email
    timeout                          = "${each.value.settings.timeout_seconds}s"
    max_instance_request_concurrency = each.value.settings.concurrency

    scaling {
      max_instance_count = each.value.settings.max_instances
    }

    containers {
      image = "docker.io/nginxinc/nginx-unprivileged:stable-alpine"
    }
  }

  lifecycle {
    ignore_changes = [annotations, build_config, client, client_version, description, labels, scaling, template, traffic]

    precondition {
      condition     = length("${each.key}-${data.google_project.this.number}") <= 63
      error_message = "${each.key}: with the number of the project longer than a label of an address may be."
    }
  }

  depends_on = [google_project_service.this]
}

# Nobody but Pub/Sub, in the name of this account, may call a function. A redeployment keeps the binding.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = local.services

  name     = google_cloud_run_v2_service.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.event_invoker.member
}
