"""Finding files, and what is made of the errors of Google's client; tests/gcs asks an emulator, and this nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
)
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption
from requests.exceptions import ConnectTimeout

from pipelines.errors import StageError
from pipelines.jobs.runners.stacks import is_final
from pipelines.shop_files import locations
from pipelines.shop_files.fetch import Fetcher
from pipelines.shop_files.google import ObjectFile
from pipelines.store import UnavailableError, gcs


@pytest.mark.parametrize(
    ("pattern", "folder", "rest"),
    [
        ("feed.csv", "", "feed.csv"),
        ("feeds/*.csv", "feeds", "*.csv"),
        ("changes/*/products.csv", "changes", "*/products.csv"),
        ("changes/2026-*/d/*.csv", "changes", "2026-*/d/*.csv"),
        ("/feed.csv", "/", "feed.csv"),
        ("~/x/[ab].csv", "~/x", "[ab].csv"),
        ("gs://shop/feed.csv", "gs://shop", "feed.csv"),
        ("gs://shop/feeds/2026?.csv", "gs://shop/feeds", "2026?.csv"),
    ],
)
def test_a_pattern_starts_from_a_folder(pattern: str, folder: str, rest: str) -> None:
    assert locations.divide(pattern) == (folder, rest)


def test_files_are_found_by_their_paths_below_the_folder(tmp_path: Path) -> None:
    for name in ("d/2/x.csv", "d/10/x.csv", "d/10/y.csv", "d/.x.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert locations.find(str(tmp_path / "d"), "*/x.csv") == [
        ("10/x.csv", tmp_path / "d/10/x.csv"), ("2/x.csv", tmp_path / "d/2/x.csv")
    ]  # fmt: skip
    assert locations.find(str(tmp_path / "none"), "*.csv") == []


PASSING = [
    ServiceUnavailable("503"), InternalServerError("500"), TooManyRequests("429"), ConnectTimeout("no answer"),
    TransportError("no way to the token"), RefreshError("503", retryable=True),
]  # fmt: skip
LASTING = [
    Forbidden("403"), BadRequest("400"), DefaultCredentialsError("none"), RefreshError("revoked"),
    DataCorruption(None, "not its checksum"),
]  # fmt: skip


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Let every call of Google's client raise an error."""

    def fail_with(error: Exception) -> None:
        def fail() -> NoReturn:
            raise error

        monkeypatch.setattr(gcs, "client", fail)

    return fail_with


ASKING: dict[str, Callable[[], object]] = {
    "look": lambda: locations.look("gs://shop/a.jpg"),
    "walk": lambda: list(locations.walk("gs://shop/photos/")),
    "folders": lambda: locations.folders("gs://shop/photos/"),
    "open": lambda: ObjectFile("gs://shop/a.jpg", 1, "md5 x", 0.0, 1).open(),
    "fetch": lambda: Fetcher("gs://shop", 9).fetch("a.jpg"),
    "fingerprint": lambda: Fetcher("gs://shop", 9).fingerprint("a.jpg"),
}


@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("error", [*PASSING, *LASTING], ids=lambda error: type(error).__name__)
def test_what_may_pass_is_told_from_what_will_not(
    failing: Callable[[Exception], None], ask: str, error: Exception
) -> None:
    failing(error)
    expected = UnavailableError if error in PASSING else StageError
    with pytest.raises((UnavailableError, StageError), match=r"cannot read gs://shop/") as caught:
        ASKING[ask]()
    assert type(caught.value) is expected
    stack = f"Traceback:\n{type(caught.value).__module__}.{type(caught.value).__qualname__}: {caught.value}\n"
    assert is_final(stack) == (error in LASTING)  # on a worker: what may pass is tried again


def test_a_bucket_that_is_not_there_is_a_wrong_uri(failing: Callable[[Exception], None]) -> None:
    failing(NotFound("404"))
    with pytest.raises(StageError, match="there is no bucket 'shop'; correct the URI"):
        list(locations.walk("gs://shop/photos/"))
