output "services" {
  description = "Service → address, as the subscriptions call it."
  value       = { for name, service in local.services : name => local.addresses[service.sport][service.function] }
}

output "service_accounts" {
  description = "Function → the account that it runs as."
  value       = { for name, account in google_service_account.function : name => account.email }
}

output "build_account" {
  description = "For ./deploy.sh."
  value       = google_service_account.build.email
}

output "event_invoker" {
  description = "The identity in which Pub/Sub calls the functions."
  value       = google_service_account.event_invoker.email
}

output "topics" {
  description = "All topics, without their dead-letter topics."
  value       = sort(keys(local.topics))
}

output "subscriptions" {
  description = "All subscriptions that deliver."
  value       = sort(keys(local.subscriptions))
}

output "datasets" {
  description = "For infra/sql/apply."
  value       = sort(keys(local.datasets))
}

output "secrets" {
  description = "Variable → name in Secret Manager."
  value       = local.secrets
}
