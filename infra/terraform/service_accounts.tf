# Who does what. Rights on data are given on buckets; on the project only what has no narrower place. Of these, Dataflow
# and Composer require roles for their workers that reach objects of the whole project (docs/cloud.md).
locals {
  accounts = {
    launcher = "runs the command line in pods, and starts Dataflow and Vertex AI jobs"
    dataflow = "Dataflow's workers"
    trainer  = "the steps of a training on Vertex AI"
    composer = "Composer's Airflow, which starts pods"
    serving  = "answers searches; it reads the store"
  }

  # Bucket -> role -> accounts.
  bucket_roles = {
    (google_storage_bucket.store.name) = {
      "roles/storage.objectUser"   = ["launcher", "dataflow"]
      "roles/storage.objectViewer" = ["trainer", "serving"]
    }
    (google_storage_bucket.temp.name) = {
      "roles/storage.legacyBucketReader" = ["launcher"] # Beam looks at the bucket before it stages a job
      "roles/storage.objectUser"         = ["launcher", "dataflow"]
    }
    (google_storage_bucket.training.name) = {
      "roles/storage.objectUser" = ["launcher", "trainer"]
    }
  }
  bucket_members = merge(flatten([
    for bucket, roles in local.bucket_roles : [
      for role, accounts in roles : {
        for account in accounts : "${bucket} ${role} ${account}" => { bucket = bucket, role = role, account = account }
      }
    ]
  ])...)

  input_readers = {
    for pair in setproduct(var.input_buckets, ["launcher", "dataflow"]) :
    "${pair[0]} ${pair[1]}" => { bucket = pair[0], account = pair[1] }
  }

  # Role -> accounts, where the service knows no narrower place than the project.
  project_roles = {
    "roles/aiplatform.user"         = ["launcher", "trainer"]
    "roles/composer.worker"         = ["composer"]
    "roles/container.clusterViewer" = ["composer"] # finds the cluster; what it may do there is in kubernetes/access.yaml
    "roles/dataflow.developer"      = ["launcher"]
    "roles/dataflow.worker"         = ["dataflow"]
  }
  project_members = merge([
    for role, accounts in local.project_roles : {
      for account in accounts : "${role} ${account}" => { role = role, account = account }
    }
  ]...)

  # Account -> the Kubernetes service account that acts as it.
  pod_accounts = {
    launcher = var.pod_service_account
    serving  = var.serving_service_account
  }
}

resource "google_service_account" "this" {
  for_each = local.accounts

  account_id   = "${var.environment}-search-${each.key}"
  display_name = "Visual search, ${var.environment}: ${each.key}"
  description  = each.value
}

resource "google_storage_bucket_iam_member" "this" {
  for_each = local.bucket_members

  bucket = each.value.bucket
  role   = each.value.role
  member = google_service_account.this[each.value.account].member
}

resource "google_storage_bucket_iam_member" "inputs" {
  for_each = local.input_readers

  bucket = each.value.bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.this[each.value.account].member
}

resource "google_project_iam_member" "this" {
  for_each = local.project_members

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.this[each.value.account].member
}

# Whoever starts a job names the account that it runs as, and must be allowed to.
resource "google_service_account_iam_member" "starts_jobs_as" {
  for_each = toset(["dataflow", "trainer"])

  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["launcher"].member
}

# Workload identity: a pod is the account, without a key that could be lost.
resource "google_service_account_iam_member" "pods" {
  for_each = local.pod_accounts

  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${google_container_cluster.pods.workload_identity_config[0].workload_pool}[${var.namespace}/${each.value}]"
}
