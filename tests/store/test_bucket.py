"""What a store in a bucket makes of the errors of Google's client; no service is asked (tests/gcs asks an emulator)."""

from typing import NoReturn

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, RetryError, ServiceUnavailable, TooManyRequests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from requests.exceptions import ConnectTimeout

from pipelines.store import StoreError, UnavailableError, gcs
from pipelines.store.bucket import BucketStore


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ServiceUnavailable("503"), UnavailableError),
        (TooManyRequests("429"), UnavailableError),
        (RetryError("Timeout of 120.0s exceeded", None), UnavailableError),
        (ConnectTimeout("no answer"), UnavailableError),
        (Forbidden("403"), StoreError),
        (BadRequest("400"), StoreError),
        (DefaultCredentialsError("none"), StoreError),
        (DataCorruption(None, "not its checksum"), StoreError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_pass_is_told_from_what_will_not(
    monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(gcs, "client", lambda: Client(project="shop", credentials=AnonymousCredentials()))
    monkeypatch.setattr(gcs, "opened", fail)
    with pytest.raises(StoreError, match="cannot read gs://shop/store/a: ") as caught:
        BucketStore("gs://shop/store").read("a")
    assert type(caught.value) is raised
