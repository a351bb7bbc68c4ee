# `terraform test`: what must hold whatever is given, and what must be refused. Each run is a plan; nothing is made.

variables {
  project_id         = "offline-project"
  region             = "us-west2"
  sports             = ["nba"]
  firestore_location = "us-west2"
  bigquery_location  = "us-west2"
}

run "one_sport" {
  command = plan

  assert {
    condition     = alltrue([for name in output.topics : startswith(name, "nba-")])
    error_message = "A topic of another sport."
  }

  assert {
    condition     = alltrue([for name, address in output.services : address == "https://${name}-123456789012.us-west2.run.app"])
    error_message = "The subscriptions call another address than the service's deterministic one."
  }

  assert {
    condition     = length(google_cloud_run_v2_job.rightsized) == 0
    error_message = "Jobs of others are left alone unless they are named."
  }
}

run "jobs_of_others_on_request" {
  command = plan

  variables {
    rightsized_job_images = { mlb-gap-detection = "us-docker.pkg.dev/offline-project/jobs/gap:1", mlb-schedule-validator = "us-docker.pkg.dev/offline-project/jobs/schedule:1" }
  }

  assert {
    condition     = google_cloud_run_v2_job.rightsized["mlb-gap-detection"].template[0].template[0].containers[0].resources[0].limits.memory == "384Mi"
    error_message = "Analytics jobs get 384 Mi."
  }

  assert {
    condition     = google_cloud_run_v2_job.rightsized["mlb-schedule-validator"].template[0].template[0].containers[0].resources[0].limits.memory == "256Mi"
    error_message = "Validators get 256 Mi."
  }
}

run "unknown_sport" {
  command = plan

  variables {
    sports = ["nba", "cricket"]
  }

  expect_failures = [var.sports]
}

run "public_publisher" {
  command = plan

  variables {
    outside_publishers = { PREDICTION_READY = ["allUsers"] }
  }

  expect_failures = [var.outside_publishers]
}
