"""docs/serving.md names what there is."""

import re
from pathlib import Path

from serving.problems import KINDS
from serving.release.refusal import REASONS
from serving.schemas import SearchParameters
from tests.serving.client import Client, Shared

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")


def test_every_problem_and_reason_is_in_the_docs() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(code, str(kind.status), kind.title) for code, kind in KINDS.items()]
    told = re.findall(r"^\| `(\w+)` \| ([^|\d]+) \|$", PAGE.partition("## Which release")[2], re.MULTILINE)
    assert told == list(REASONS.items())


def test_every_parameter_is_in_the_docs() -> None:
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE.partition("| parameter |")[2].partition("`similar`")[0], re.MULTILINE
    )
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(SearchParameters.model_fields)


def test_every_resource_is_described_with_its_errors(asked: Shared) -> None:
    async def ask(client: Client) -> None:
        paths = (await client.http.get("/v1/openapi.json")).json()["paths"]
        named = {re.sub("{(item_|release_|task_)id}", "ID", path).replace("{digest}", "DIGEST") for path in paths}
        assert named == set(re.findall(r"`(?:GET|POST) (/[\w/.]+)", PAGE))
        assert {"200", "413", "429", "504"} <= paths["/v1/search"]["post"]["responses"].keys()
        example = paths["/v1/search"]["post"]["responses"]["200"]["content"]["application/json"]["example"]
        assert example["answers"][0]["results"][0]["score"] <= 1

    asked(ask)
