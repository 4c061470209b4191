# Airflow. It starts a pod for each task, and the pods do the work.
resource "google_composer_environment" "this" {
  name   = "${var.environment}-search"
  region = var.region

  config {
    environment_size           = "ENVIRONMENT_SIZE_SMALL"
    enable_private_environment = true

    software_config {
      image_version = var.composer_image_version

      env_variables = {
        AIRFLOW_VAR_VISUAL_SEARCH_LAUNCHER        = "kubernetes"
        AIRFLOW_VAR_VISUAL_SEARCH_IMAGE           = var.worker_image
        AIRFLOW_VAR_VISUAL_SEARCH_NAMESPACE       = var.namespace
        AIRFLOW_VAR_VISUAL_SEARCH_SERVICE_ACCOUNT = var.pod_service_account
        AIRFLOW_VAR_VISUAL_SEARCH_CONFIG          = var.config_path
      }
    }

    node_config {
      service_account = google_service_account.this["composer"].email
      network         = google_compute_network.this.id
      subnetwork      = google_compute_subnetwork.this.id
    }

    workloads_config {
      scheduler {
        cpu        = 1
        memory_gb  = 4
        storage_gb = 1
        count      = 1
      }
      dag_processor {
        cpu        = 1
        memory_gb  = 4
        storage_gb = 1
        count      = 1
      }
      triggerer {
        cpu       = 0.5
        memory_gb = 1
        count     = 1
      }
      web_server {
        cpu        = 1
        memory_gb  = 4
        storage_gb = 1
      }
      worker {
        cpu        = 1
        memory_gb  = 4
        storage_gb = 1
        min_count  = 1
        max_count  = 3
      }
    }
  }

  # Composer's worker must have its role before its pods start.
  depends_on = [google_project_iam_member.this]
}
