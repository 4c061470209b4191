# The project's images: one for pods, Dataflow workers and the steps of a training.
resource "google_artifact_registry_repository" "images" {
  repository_id = "${var.environment}-search"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of visual search, ${var.environment}"

  docker_config {
    immutable_tags = true
  }

  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s" # 90 days
    }
  }

  # Whatever their age: what runs, and some to go back to.
  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_artifact_registry_repository_iam_member" "readers" {
  for_each = toset(["launcher", "dataflow", "trainer", "serving"])

  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.this[each.key].member
}

# The cluster's nodes fetch images as themselves, not as the pods.
resource "google_artifact_registry_repository_iam_member" "nodes" {
  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.nodes.member
}
