# The state of coordination. Where the project has a database already, import it:
#   terraform import google_firestore_database.this "projects/P/databases/(default)"
#
# Cost: a completion is one commit of two writes. 450 a day: 450 × 30 × 2 × $0.18 / 100,000 = $0.05 a month; 20,000 a
# day: $2.16. What TTL removes is billed as deletes, $0.02 per 100,000. Point-in-time recovery costs storage again for
# seven days of versions: at the few MB that there are, less than a cent.

# Indexes: each query of the suite filters by one field, orders by one, or asks two to be equal to something, for which
# Firestore has an index of each field by itself. Any other needs a google_firestore_index here.

locals {
  # Collection group → the field by which TTL tells its age. Documents of a batch; the batch itself goes last, and is the
  # auditor's to remove, since TTL leaves sub-collections behind. Up to 24 h late.
  expiring = {
    completions = "completed_at"
    timeline    = "at"
  }

  # Grows with the players, and each element would be an index entry: 40,000 of them are the most that a document may have.
  exempt = toset(["completed_players", "failed_players"])
}

resource "google_firestore_database" "this" {
  name                              = "(default)"
  location_id                       = var.firestore_location
  type                              = "FIRESTORE_NATIVE"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.this]
}

resource "google_firestore_field" "expiring" {
  for_each = local.expiring

  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value

  ttl_config {
    expiration_offset = "${var.coordination_retention_days * 86400}s"
  }
}

resource "google_firestore_field" "unindexed" {
  for_each = local.exempt

  database   = google_firestore_database.this.name
  collection = "prediction_batches"
  field      = each.key

  index_config {}
}
