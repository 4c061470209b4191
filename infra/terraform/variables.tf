variable "project_id" {
  description = "Id of the Google Cloud project; all that is made here lies in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Write the project's id, such as shop-search-1, not its name or number."
  }
}

variable "region" {
  description = "Where everything runs and lies; one region, so that no photo is paid for on its way."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Write a region such as europe-west4, not a zone and not a multi-region."
  }
}

variable "environment" {
  description = "One shop or stage, such as prod; part of every name, so that two may share a project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment))
    error_message = "Two to ten small letters and digits, a letter first: buckets and accounts are named by it."
  }
}

variable "input_buckets" {
  description = "Names of the shop's own buckets with feeds and photos, which the pipeline may read."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.input_buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", name))])
    error_message = "Names of buckets alone, without gs:// and without folders."
  }
}

variable "noncurrent_days" {
  description = "How long the store keeps what was deleted or replaced, before that is deleted too."
  type        = number
  default     = 14

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "Between 1 and 365 days; each of them is paid for."
  }
}

variable "soft_delete_days" {
  description = "How long the store's objects can be restored after even their last version is gone; 0 switches it off."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "0, or between 7 and 90 days, which is what Cloud Storage takes."
  }
}

variable "training_days" {
  description = "How long the files of a training on Vertex AI are kept; its model is in the store by then."
  type        = number
  default     = 30

  validation {
    condition     = var.training_days >= 7
    error_message = "At least 7 days, so that a training that goes on from its checkpoints finds them."
  }
}

variable "subnet_cidr" {
  description = "Addresses of Dataflow workers and of the cluster's nodes."
  type        = string
  default     = "10.20.0.0/20"

  validation {
    condition     = can(cidrnetmask(var.subnet_cidr))
    error_message = "Write an IPv4 range such as 10.20.0.0/20."
  }
}

variable "composer_image_version" {
  description = "Composer's image; the DAGs are written for Airflow 3."
  type        = string

  validation {
    condition     = can(regex("^composer-3-airflow-3(\\.[0-9]+)*(-build\\.[0-9]+)?$", var.composer_image_version))
    error_message = "An image of Composer 3 with Airflow 3, such as composer-3-airflow-3; Airflow 2 does not load the DAGs."
  }
}

variable "worker_image" {
  description = "What the pods run, by digest: the project with its command line."
  type        = string

  validation {
    condition     = can(regex("/[^/@:]+(:[A-Za-z0-9_.-]+|@sha256:[0-9a-f]{64})$", var.worker_image))
    error_message = "Write REGISTRY/NAME@sha256:DIGEST, or REGISTRY/NAME:TAG; without either it may change while it runs."
  }
}

variable "config_path" {
  description = "The environment's TOML file, where the command runs: a path in the image."
  type        = string

  validation {
    condition     = can(regex("^/.+\\.toml$", var.config_path))
    error_message = "Write the absolute path of a .toml file in the image."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the pods."
  type        = string
  default     = "visual-search"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "A name that Kubernetes takes: small letters, digits and dashes."
  }
}

variable "pod_service_account" {
  description = "Kubernetes service account of the pods, which acts as the launcher's account."
  type        = string
  default     = "visual-search"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.pod_service_account))
    error_message = "A name that Kubernetes takes: small letters, digits and dashes."
  }
}

variable "serving_service_account" {
  description = "Kubernetes service account of what answers searches; it may read the store and nothing else."
  type        = string
  default     = "visual-search-serving"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.serving_service_account))
    error_message = "A name that Kubernetes takes: small letters, digits and dashes."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the cluster."
  type        = bool
  default     = true
}

variable "billing_account" {
  description = "Id of the billing account that pays for the project."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "Write the id, such as 01ABCD-234567-89EFAB."
  }
}

variable "budget_amount" {
  description = "What a month may cost, in whole units of the budget's currency."
  type        = number

  validation {
    condition     = var.budget_amount >= 1 && floor(var.budget_amount) == var.budget_amount
    error_message = "A whole number from 1."
  }
}

variable "budget_currency" {
  description = "Currency of the billing account."
  type        = string
  default     = "EUR"

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.budget_currency))
    error_message = "Three capital letters, such as EUR; it must be the billing account's own."
  }
}

variable "budget_emails" {
  description = "Who is told when the budget's thresholds are passed, beside the billing account's administrators."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.budget_emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "Write e-mail addresses."
  }
}
