# Where the pods of the stages run: Autopilot makes nodes, with a GPU where a pod asks for one, and removes them.
resource "google_service_account" "nodes" {
  account_id   = "${var.environment}-search-nodes"
  display_name = "Visual search, ${var.environment}: nodes of the cluster"
}

resource "google_project_iam_member" "nodes" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.nodes.member
}

resource "google_container_cluster" "pods" {
  name                = "${var.environment}-search"
  location            = var.region
  network             = google_compute_network.this.id
  subnetwork          = google_compute_subnetwork.this.id
  enable_autopilot    = true
  deletion_protection = var.deletion_protection

  # Nodes have no external addresses. The control plane is reached by its name, with Google's own credentials.
  private_cluster_config {
    enable_private_nodes = true
  }

  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
    ip_endpoints_config {
      enabled = false
    }
  }

  ip_allocation_policy {}

  cluster_autoscaling {
    auto_provisioning_defaults {
      service_account = google_service_account.nodes.email
      oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    }
  }

  depends_on = [google_project_service.this]
}
