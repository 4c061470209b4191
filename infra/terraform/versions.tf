terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # The state's bucket is made by hand, once: docs/cloud.md.
  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Budgets belong to the billing account, but their requests are counted to this project.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = local.labels
}

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  labels = {
    application = "visual-search"
    environment = var.environment
  }
  prefix = "${var.project_id}-${var.environment}"
}
