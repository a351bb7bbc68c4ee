variable "project_id" {
  description = "The Google Cloud project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project id: 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Where the services, the schedules and the messages at rest are, such as us-west2."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region such as us-west2."
  }
}

variable "sports" {
  description = "The sports that run here. Each has topics, subscriptions, services, datasets and schedules of its own."
  type        = set(string)

  validation {
    condition     = length(var.sports) > 0 && length(setsubtract(var.sports, ["nba", "mlb"])) == 0
    error_message = "One or more of nba, mlb: the sports of common/sport.py."
  }
}

variable "environment" {
  description = "What the labels and the functions' ENVIRONMENT say."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.environment))
    error_message = "Lower-case letters, digits and hyphens."
  }
}

variable "firestore_location" {
  description = "Of the database; cannot be changed later."
  type        = string
}

variable "bigquery_location" {
  description = "Of the datasets; cannot be changed later."
  type        = string
}

variable "coordination_retention_days" {
  description = "How long completions and timelines are kept. The auditor removes whole batches; this is what is left when it does not."
  type        = number
  default     = 90

  validation {
    condition     = var.coordination_retention_days >= 7
    error_message = "At least a week: an operator must be able to look back."
  }
}

variable "alert_emails" {
  description = "Who is written to when an alert opens or closes."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Further channels, by their full names (projects/P/notificationChannels/N), such as one to Slack or to a pager."
  type        = set(string)
  default     = []
}

variable "outside_publishers" {
  description = "Constant of a topic → members that publish to it and are no function of this suite: {PREDICTION_READY = [\"serviceAccount:workers@…\"]}. Nobody else may speak."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = !anytrue([for members in values(var.outside_publishers) : anytrue([for member in members : startswith(member, "all")])])
    error_message = "allUsers and allAuthenticatedUsers would let anybody forge a completion."
  }
}

variable "outside_subscribers" {
  description = "Constant of a topic → members that pull its pull subscriptions: {PREDICTION_REQUEST = [\"serviceAccount:workers@…\"]}."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = !anytrue([for members in values(var.outside_subscribers) : anytrue([for member in members : startswith(member, "all")])])
    error_message = "allUsers and allAuthenticatedUsers would let anybody read, and acknowledge, what is for others."
  }
}

variable "deployers" {
  description = "Members that run ./deploy.sh."
  type        = set(string)
  default     = []
}

variable "manage_buckets" {
  description = "Whether the buckets' lifecycle is kept here. They exist: import them first."
  type        = bool
  default     = true
}

variable "rightsized_job_images" {
  description = "Cloud Run job of mlb → its image. Empty: the jobs are left to who deploys them (cloud_run.tf)."
  type        = map(string)
  default     = {}
}
