"""Terraform's files as a parser sees them, and what is wrong with them: no provider is asked, and no account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

BUCKET_ROLES = {"roles/storage.legacyBucketReader", "roles/storage.objectUser", "roles/storage.objectViewer"}
PROJECT_ROLES = {
    "roles/aiplatform.user",
    "roles/composer.worker",
    "roles/container.defaultNodeServiceAccount",
    "roles/container.clusterViewer",
    "roles/dataflow.developer",
    "roles/dataflow.worker",
}
OTHER_ROLES = {"roles/artifactregistry.reader", "roles/iam.serviceAccountUser", "roles/iam.workloadIdentityUser"}
"""On one repository, or on one service account."""
EVERYBODY = re.compile(r"allUsers|allAuthenticatedUsers")
ROLE = re.compile(r"roles/[\w.]+|projects/[^\"]*/roles/\w+|organizations/[^\"]*/roles/\w+")
DOTTED = re.compile(r"(?<![\w.\]])([a-z_]\w*)\.([a-zA-Z_]\w*)(?:\.([a-zA-Z_]\w*))?")
LOOP = re.compile(r"\bfor\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")
WITHOUT_COMMENTS = hcl2.SerializationOptions(with_comments=False)
GIVEN = {"each", "self", "path", "terraform"}

Body = dict[str, Any]


@dataclass(frozen=True)
class Module:
    """A folder's declarations: resources and data by "type.name", the others by name."""

    resources: dict[str, Body]
    data: dict[str, Body]
    variables: dict[str, Body]
    outputs: dict[str, Body]
    providers: dict[str, Body]
    locals: Body

    @property
    def bodies(self) -> Iterator[tuple[str, Any]]:
        """Yield what everything is called, and its body."""
        kinds = {"": self.resources, "data.": self.data, "output.": self.outputs, "provider.": self.providers}
        for kind, found in kinds.items():
            yield from ((f"{kind}{name}", body) for name, body in found.items())
        yield from ((f"local.{name}", value) for name, value in self.locals.items())


def load(folder: Path) -> Module:
    """Read every .tf file of a folder. Raises what the parser raises, and ValueError for what is declared twice."""
    module = Module({}, {}, {}, {}, {}, {})
    labelled = {"variable": module.variables, "output": module.outputs, "provider": module.providers}
    for path in sorted(folder.glob("*.tf")):
        parsed = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=WITHOUT_COMMENTS)
        for kind, into in labelled.items():
            for block in parsed.get(kind, []):
                _add(into, block, path)
        for kind, into in (("resource", module.resources), ("data", module.data)):
            for block in parsed.get(kind, []):
                for label, named in block.items():
                    _add(into, {f'"{plain(label)}.{plain(name)}"': body for name, body in named.items()}, path)
        for block in parsed.get("locals", []):
            _add(module.locals, {name: value for name, value in block.items() if name != "__is_block__"}, path)
    return module


def _add(into: Body, block: Body, path: Path) -> None:
    for label, body in block.items():
        name = plain(label)
        if name in into:
            raise ValueError(f"{path.name}: {name} is declared twice")
        into[name] = body


def plain(text: Any) -> Any:
    """Return a literal without its quotes; anything else as it is."""
    return text[1:-1] if isinstance(text, str) and text.startswith('"') else text


def texts(value: Any) -> Iterator[str]:
    """Yield every literal and expression, and the keys of objects."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key != "__is_block__":
                yield key
                yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def expressions(text: str) -> Iterator[str]:
    """Yield the code of a literal or expression: what stands in `${…}`, without the literals therein."""
    start = 0
    while (start := text.find("${", start)) >= 0:
        end, depth = start + 2, 1
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        code = text[start + 2 : end - 1]
        for literal in re.findall(r'"[^"]*"', code):
            yield from expressions(literal)
        yield re.sub(r'"[^"]*"', '""', code)
        start = end


def references(value: Any) -> Iterator[str]:
    """Yield what a body refers to: "var.x", "local.x", "data.type.name", "type.name"; its own loops are left out."""
    codes = [code for text in texts(value) for code in expressions(text)]
    known = GIVEN | {name for code in codes for found in LOOP.findall(code) for name in found} | iterators(value)
    for code in codes:
        for root, first, second in DOTTED.findall(code):
            if root not in known:
                yield f"data.{first}.{second}" if root == "data" else f"{root}.{first}"


def iterators(value: Any) -> set[str]:
    """Return the names of dynamic blocks: within them they are the loop's variable."""
    if isinstance(value, list):
        return {name for each in value for name in iterators(each)}
    if not isinstance(value, dict):
        return set()
    named = {plain(label) for block in value.get("dynamic", []) for label in block}
    return named | {name for each in value.values() for name in iterators(each)}


def problems(module: Module) -> list[str]:
    """Return everything that is wrong, each with the name of what it is wrong with."""
    checks = (dangling, unguarded_buckets, wide_roles, loose_variables, unused_locals, loose_outputs)
    return [problem for check in checks for problem in check(module)]


def dangling(module: Module) -> Iterator[str]:
    """Say what refers to nothing."""
    declared = {f"var.{name}" for name in module.variables} | {f"local.{name}" for name in module.locals}
    declared |= module.resources.keys() | {f"data.{name}" for name in module.data}
    bodies = [*module.bodies, *((f"var.{name}", body) for name, body in module.variables.items())]
    for name, body in bodies:
        for reference in sorted(set(references(body)) - declared):
            yield f"{name} refers to {reference}, which is not declared"


def unguarded_buckets(module: Module) -> Iterator[str]:
    """Say which buckets may be opened to everybody, or grow for ever."""
    for name, body in module.resources.items():
        if not name.startswith("google_storage_bucket."):
            continue
        if body.get("uniform_bucket_level_access") is not True:
            yield f"{name}: uniform_bucket_level_access is not true"
        if plain(body.get("public_access_prevention")) != "enforced":
            yield f"{name}: public_access_prevention is not enforced"
        if "soft_delete_policy" not in body:
            yield f"{name} does not say how long what was deleted is kept (soft_delete_policy)"
        rules = body.get("lifecycle_rule", [])
        deletes = [rule for rule in rules if plain(rule["action"][0].get("type")) == "Delete"]
        if not deletes:
            yield f"{name} has no lifecycle_rule that deletes anything"
        kept = body.get("versioning", [{}])[0].get("enabled") is True
        for rule in deletes:
            if kept and plain(rule["condition"][0].get("with_state")) != "ARCHIVED":
                yield f"{name} keeps versions, but a lifecycle_rule deletes what is live"


def wide_roles(module: Module) -> Iterator[str]:
    """Say which roles are wider than what is allowed where they are given, and what is given to everybody."""
    for name, body in module.bodies:
        found = [text for text in texts(body) if ROLE.search(text) or EVERYBODY.search(text)]
        roles = {role for text in found for role in ROLE.findall(text)}
        for role in sorted(roles - BUCKET_ROLES - PROJECT_ROLES - OTHER_ROLES):
            yield f"{name} gives {role}, which is not among the roles of this project"
        on_project = name.startswith("google_project_iam") or name == "local.project_roles"
        for role in sorted(roles & (BUCKET_ROLES | OTHER_ROLES) if on_project else roles & PROJECT_ROLES):
            yield f"{name} gives {role} {'on the whole project' if on_project else 'elsewhere than on the project'}"
        yield from (f"{name} opens to {EVERYBODY.findall(text)[0]}" for text in found if EVERYBODY.search(text))
        if re.search(r"_iam_(binding|policy)\.", name):
            yield f"{name} takes away what others gave; use ..._iam_member"


def loose_variables(module: Module) -> Iterator[str]:
    """Say which variables have no description, type or use, and which texts take anything."""
    used = {reference for _, body in module.bodies for reference in references(body)}
    for name, body in module.variables.items():
        if not plain(body.get("description", "")):
            yield f"var.{name} has no description"
        if "type" not in body:
            yield f"var.{name} has no type"
        if "validation" not in body and body.get("type") != "bool":
            yield f"var.{name} has no validation"
        if f"var.{name}" not in used:
            yield f"var.{name} is used nowhere"


def unused_locals(module: Module) -> Iterator[str]:
    """Say which locals nothing refers to."""
    used = {reference for _, body in module.bodies for reference in references(body)}
    yield from (f"local.{name} is used nowhere" for name in module.locals if f"local.{name}" not in used)


def loose_outputs(module: Module) -> Iterator[str]:
    """Say which outputs do not say what they are for, or tell nothing that was made."""
    for name, body in module.outputs.items():
        if not plain(body.get("description", "")):
            yield f"output.{name} has no description"
        if not any(reference.startswith("google_") for reference in references(body)):
            yield f"output.{name} tells nothing that was made"
