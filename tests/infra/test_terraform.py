"""infra/terraform: what it declares holds together, is private, and gives nobody more than is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra.terraform import Module, load, plain, problems, references, texts

FOLDER = Path(__file__).parents[2] / "infra" / "terraform"
TERRAFORM = shutil.which("terraform")

SOUND = """
variable "name" {
  description = "A name."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{1,9}$", var.name))
    error_message = "Small letters."
  }
}

locals {
  readers = { for pair in setproduct(["a"], ["b"]) : "${pair[0]} x" => { account = pair[1] } }
}

resource "google_storage_bucket" "store" {
  name                        = "${var.name}-store"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = 7
    }
  }
}

resource "google_storage_bucket_iam_member" "readers" {
  for_each = local.readers

  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${each.value.account}"

  dynamic "condition" {
    for_each = [1]
    content {
      title = tostring(condition.value)
    }
  }
}

output "store" {
  description = "The store."
  value       = [for bucket in [google_storage_bucket.store] : bucket.name]
}
"""


def checked(folder: Path, source: str) -> list[str]:
    (folder / "main.tf").write_text(source)
    return problems(load(folder))


@pytest.fixture(scope="module")
def module() -> Module:
    return load(FOLDER)


def test_nothing_is_wrong(module: Module) -> None:
    assert problems(module) == []


def test_what_is_promised_is_declared(module: Module) -> None:
    kinds = {name.partition(".")[0] for name in module.resources}
    assert kinds >= {
        "google_artifact_registry_repository",
        "google_billing_budget",
        "google_composer_environment",
        "google_compute_subnetwork",
        "google_container_cluster",
        "google_project_service",
        "google_service_account",
        "google_storage_bucket",
    }
    assert {"store_uri", "temp_location", "pipeline_root", "service_accounts", "images"} <= module.outputs.keys()


def test_the_store_keeps_versions_and_others_do_not(module: Module) -> None:
    kept = {
        name.partition(".")[2]: body.get("versioning", [{}])[0].get("enabled", False)
        for name, body in module.resources.items()
        if name.startswith("google_storage_bucket.")
    }
    assert kept == {"store": True, "temp": False, "training": False}
    assert "retention_policy" not in module.resources["google_storage_bucket.store"]


def test_temporary_files_last_a_week(module: Module) -> None:
    (rule,) = module.resources["google_storage_bucket.temp"]["lifecycle_rule"]
    assert rule["condition"][0]["age"] == 7


def test_who_answers_searches_reads_the_store_and_nothing_else(module: Module) -> None:
    given = {
        (bucket, role)
        for bucket, roles in module.locals["bucket_roles"].items()
        for role, accounts in roles.items()
        if '"serving"' in accounts
    }
    assert given == {("${(google_storage_bucket.store.name)}", '"roles/storage.objectViewer"')}
    assert [role for role, accounts in module.locals["project_roles"].items() if '"serving"' in accounts] == []


def test_airflow_is_given_no_bucket(module: Module) -> None:
    accounts = [each for roles in module.locals["bucket_roles"].values() for each in roles.values()]
    assert not [each for each in accounts if '"composer"' in each]


def test_every_account_is_described_and_no_other_is_given_anything(module: Module) -> None:
    declared = {plain(name) for name in module.locals["accounts"]}
    given = {plain(each) for kind in ("project_roles", "pod_accounts") for each in texts(module.locals[kind])}
    named = {each for each in given if re.fullmatch(r"[a-z]+", each)} | {
        plain(each) for roles in module.locals["bucket_roles"].values() for each in texts(list(roles.values()))
    }
    assert named == declared


def test_the_budget_speaks_before_the_money_is_gone(module: Module) -> None:
    budget = module.resources["google_billing_budget.month"]
    (spent,) = (
        body for block in budget["dynamic"] for label, body in block.items() if plain(label) == "threshold_rules"
    )
    assert min(spent["for_each"]) < 1.0
    assert plain(budget["threshold_rules"][0]["spend_basis"]) == "FORECASTED_SPEND"
    assert budget["all_updates_rule"][0]["disable_default_iam_recipients"] is False


def test_workers_and_nodes_have_no_external_addresses(module: Module) -> None:
    assert module.resources["google_compute_subnetwork.this"]["private_ip_google_access"] is True
    cluster = module.resources["google_container_cluster.pods"]
    assert cluster["private_cluster_config"][0]["enable_private_nodes"] is True
    assert module.resources["google_composer_environment.this"]["config"][0]["enable_private_environment"] is True


def test_airflow_starts_pods_as_the_launcher(module: Module) -> None:
    software = module.resources["google_composer_environment.this"]["config"][0]["software_config"][0]
    given = {
        name.removeprefix("AIRFLOW_VAR_VISUAL_SEARCH_"): plain(each) for name, each in software["env_variables"].items()
    }
    assert given == {
        "LAUNCHER": "kubernetes",
        "IMAGE": "${var.worker_image}",
        "NAMESPACE": "${var.namespace}",
        "SERVICE_ACCOUNT": "${var.pod_service_account}",
        "CONFIG": "${var.config_path}",
    }
    assert module.locals["pod_accounts"]["launcher"] == "${var.pod_service_account}"


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH")
def test_it_is_formatted() -> None:
    done = subprocess.run(
        [str(TERRAFORM), "fmt", "-check", "-recursive", "-diff", str(FOLDER)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.skipif(
    TERRAFORM is None or not (FOLDER / ".terraform").is_dir(),
    reason="terraform has no providers here: `terraform -chdir=infra/terraform init -backend=false` fetches them",
)
def test_it_is_valid() -> None:
    done = subprocess.run(
        [str(TERRAFORM), f"-chdir={FOLDER}", "validate", "-no-color"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


GIVEN = {
    "project_id": "shop-search",
    "region": "europe-west4",
    "environment": "prod",
    "input_buckets": ["shop-feeds"],
    "composer_image_version": "composer-3-airflow-3",
    "worker_image": "europe-west4-docker.pkg.dev/shop-search/prod-search/worker:1.4",
    "config_path": "/etc/visual-search/prod.toml",
    "billing_account": "01ABCD-234567-89EFAB",
    "budget_amount": 2000,
    "budget_emails": ["search@shop.example"],
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The variables and the locals of service_accounts.tf in a module of their own, which needs no provider."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copy(FOLDER / "variables.tf", folder)
    source = (FOLDER / "service_accounts.tf").read_text(encoding="utf-8")
    block = source[source.index("locals {") : source.index("\nresource ")]
    (folder / "locals.tf").write_text(re.sub(r"google_storage_bucket\.(\w+)\.name", r'"\1"', block))
    return folder


def evaluated(folder: Path, expression: str, **given: Any) -> subprocess.CompletedProcess[str]:
    """Ask `terraform console` for an expression as JSON, with these variables."""
    (folder / "given.tfvars.json").write_text(json.dumps(given))
    return subprocess.run(
        [str(TERRAFORM), f"-chdir={folder}", "console", "-var-file=given.tfvars.json"],
        input=f"jsonencode({expression})\n",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH")
def test_rights_are_those_of_the_page(alone: Path) -> None:
    done = evaluated(alone, "[local.bucket_members, local.input_readers, local.project_members]", **GIVEN)
    assert done.returncode == 0, done.stderr
    on_buckets, on_inputs, on_project = json.loads(json.loads(done.stdout))
    given = {(each["account"], each["bucket"], each["role"].partition(".")[2]) for each in on_buckets.values()}
    assert given == {
        *(("launcher", bucket, "objectUser") for bucket in ("store", "temp", "training")),
        *(("dataflow", bucket, "objectUser") for bucket in ("store", "temp")),
        ("trainer", "store", "objectViewer"),
        ("launcher", "temp", "legacyBucketReader"),
        ("trainer", "training", "objectUser"),
        ("serving", "store", "objectViewer"),
    }
    assert {(each["account"], each["bucket"]) for each in on_inputs.values()} == {
        ("launcher", "shop-feeds"),
        ("dataflow", "shop-feeds"),
    }
    assert len(on_project) == 6
    assert "serving" not in {each["account"] for each in on_project.values()}


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on PATH")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("project_id", "Shop Search", "Write the project's id"),
        ("region", "europe-west4-a", "Write a region such as europe-west4"),
        ("environment", "production-1", "Two to ten small letters and digits"),
        ("input_buckets", ["gs://shop-feeds"], "Names of buckets alone"),
        ("noncurrent_days", 0, "Between 1 and 365 days"),
        ("soft_delete_days", 3, "0, or between 7 and 90 days"),
        ("training_days", 1, "At least 7 days"),
        ("subnet_cidr", "10.20.0.0", "Write an IPv4 range"),
        ("composer_image_version", "composer-2.9.0-airflow-2.9.3", "Airflow 2 does not load the DAGs"),
        ("worker_image", "europe-west4-docker.pkg.dev/shop-search/worker", "without either it may change"),
        ("config_path", "prod.toml", "Write the absolute path of a .toml file"),
        ("namespace", "Visual Search", "A name that Kubernetes takes"),
        ("billing_account", "shop", "Write the id, such as 01ABCD-234567-89EFAB"),
        ("budget_amount", 0.5, "A whole number from 1"),
        ("budget_currency", "euro", "Three capital letters"),
        ("budget_emails", ["search"], "Write e-mail addresses"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_to_write(
    alone: Path, tmp_path: Path, name: str, value: Any, message: str
) -> None:
    """`plan` is what looks at variables; without resources it needs no provider."""
    folder = tmp_path / "alone"
    shutil.copytree(alone, folder)
    (folder / "given.tfvars.json").write_text(json.dumps({**GIVEN, name: value}))
    done = subprocess.run(
        [str(TERRAFORM), f"-chdir={folder}", "plan", "-no-color", "-input=false", "-var-file=given.tfvars.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "Invalid value for variable" in said
    assert message in said


def test_a_sound_module_passes(tmp_path: Path) -> None:
    assert checked(tmp_path, SOUND) == []


def test_references_are_found_in_texts_and_loops_are_not() -> None:
    body = {"a": '"x-${var.b}-${local.c["d.e"].f}"', "g": "${[for h in data.i.j : h.k if google_l.m.n != null]}"}
    assert sorted(references(body)) == ["data.i.j", "google_l.m", "local.c", "var.b"]


BUCKET, MEMBER = "google_storage_bucket.store", "google_storage_bucket_iam_member.readers"
DELETED = "soft_delete_policy {\n    retention_duration_seconds = 0\n  }"
STRANGE = "which is not among the roles of this project"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("uniform_bucket_level_access = true", "", f"{BUCKET}: uniform_bucket_level_access is not true"),
        ('"enforced"', '"inherited"', f"{BUCKET}: public_access_prevention is not enforced"),
        (DELETED, "", f"{BUCKET} does not say how long what was deleted is kept (soft_delete_policy)"),
        ('"Delete"', '"SetStorageClass"', f"{BUCKET} has no lifecycle_rule that deletes anything"),
        ("with_state  ", "# ", f"{BUCKET} keeps versions, but a lifecycle_rule deletes what is live"),
        ("storage.objectViewer", "storage.admin", f"{MEMBER} gives roles/storage.admin, {STRANGE}"),
        ("storage.objectViewer", "editor", f"{MEMBER} gives roles/editor, {STRANGE}"),
        (
            "storage.objectViewer",
            "dataflow.worker",
            f"{MEMBER} gives roles/dataflow.worker elsewhere than on the project",
        ),
        (
            '"google_storage_bucket_iam_member"',
            '"google_project_iam_member"',
            "google_project_iam_member.readers gives roles/storage.objectViewer on the whole project",
        ),
        ("serviceAccount:${each.value.account}", "allUsers", f"{MEMBER} opens to allUsers"),
        (
            '"google_storage_bucket_iam_member"',
            '"google_storage_bucket_iam_binding"',
            "google_storage_bucket_iam_binding.readers takes away what others gave; use ..._iam_member",
        ),
        ('description = "A name."', "", "var.name has no description"),
        ("type        = string", "", "var.name has no type"),
        ("validation {", "other {", "var.name has no validation"),
        ('"${var.name}-store"', '"a-store"', "var.name is used nowhere"),
        ("= local.readers", "= {}", "local.readers is used nowhere"),
        ("local.readers", "local.writers", f"{MEMBER} refers to local.writers, which is not declared"),
        (
            "bucket.store.name",
            "bucket.shop.name",
            f"{MEMBER} refers to google_storage_bucket.shop, which is not declared",
        ),
        ("condition.value", "other.value", f"{MEMBER} refers to other.value, which is not declared"),
        ('description = "The store."', "", "output.store has no description"),
        ("[google_storage_bucket.store]", "[]", "output.store tells nothing that was made"),
    ],
)
def test_what_is_wrong_is_seen(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert SOUND.count(old) >= 1
    assert problem in checked(tmp_path, SOUND.replace(old, new, 1))


def test_what_is_declared_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "more.tf").write_text('variable "name" {}\n')
    with pytest.raises(ValueError, match=r"more\.tf: name is declared twice"):
        checked(tmp_path, SOUND)
