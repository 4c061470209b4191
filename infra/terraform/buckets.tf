# The store: releases, indexes, models, prepared photos.
#
# Objects are created once (ifGenerationMatch=0) and `gc` deletes what no kept release needs, so versions are what gives
# a way back after a wrong deletion. There is no retention policy: it would hold for the whole bucket, and forbid `gc`,
# the leases that a stage renews, and deleting a person's photo when the law asks for it.
resource "google_storage_bucket" "store" {
  name                        = "${local.prefix}-store"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 86400
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.noncurrent_days
    }
  }

  # A running stage renews its lease every ten seconds; nobody wants those versions back.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state         = "ARCHIVED"
      matches_suffix     = ["/lease.json"]
      num_newer_versions = 1
    }
  }

  # Nothing goes on with an upload that was interrupted a week ago.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

# What Beam and Dataflow write on the way: staged packages, shuffles, half-written files.
resource "google_storage_bucket" "temp" {
  name                        = "${local.prefix}-temp"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 7
    }
  }
}

# `train.vertex.pipeline_root`: what the steps of a training leave, checkpoints among it.
resource "google_storage_bucket" "training" {
  name                        = "${local.prefix}-training"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.training_days
    }
  }
}
