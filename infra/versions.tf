# The state lies in a bucket that exists before anything here does:
#   terraform init -backend-config="bucket=…"
terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
  }

  backend "gcs" {
    prefix = "batch-coordination"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

# Its number stands in the services' addresses and in the names of Google's own agents.
data "google_project" "this" {
  project_id = var.project_id
}

locals {
  apis = toset([
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  labels = {
    suite       = "batch-coordination"
    environment = var.environment
  }
}

# Left on when this configuration is destroyed: others of the project may use them.
resource "google_project_service" "this" {
  for_each = local.apis

  service            = each.key
  disable_on_destroy = false
}
