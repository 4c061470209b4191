output "store_uri" {
  description = "For store.uri."
  value       = "gs://${google_storage_bucket.store.name}/search"
}

output "temp_location" {
  description = "For Dataflow's temporary files."
  value       = "gs://${google_storage_bucket.temp.name}/beam"
}

output "pipeline_root" {
  description = "For train.vertex.pipeline_root."
  value       = "gs://${google_storage_bucket.training.name}/vertex"
}

output "service_accounts" {
  description = "E-mail of every account, by what it is for; train.vertex.service_account is the trainer's."
  value       = { for name, account in google_service_account.this : name => account.email }
}

output "images" {
  description = "Where images are pushed to."
  value       = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "subnetwork" {
  description = "For Dataflow's workers, which have no external addresses."
  value       = google_compute_subnetwork.this.self_link
}

output "cluster" {
  description = "Name of the cluster in which the pods run."
  value       = google_container_cluster.pods.name
}

output "airflow_uri" {
  description = "Airflow's page."
  value       = google_composer_environment.this.config[0].airflow_uri
}

output "dag_folder" {
  description = "Where the DAGs are copied to."
  value       = google_composer_environment.this.config[0].dag_gcs_prefix
}
