"""Queries that come at once: they share batches, a full queue and a deadline refuse them, and no query sees another."""

import asyncio
import threading
import time
from typing import Any

import pytest

from serving.model.process import EndedError
from serving.release.loaded import LoadedRelease
from tests.serving.client import Client, alone, ids, problem
from tests.serving.shop import ServedShop


def engine_of(client: Client):
    current = client.service.follower.current
    assert isinstance(current, LoadedRelease)
    return current.engine


def watched(client: Client, monkeypatch: pytest.MonkeyPatch, wait: threading.Event | None = None) -> list[int]:
    """Return the sizes of batches as they come, which `wait` holds up."""
    engine, sizes = engine_of(client), []
    outputs = engine.outputs

    def counted(jpegs: list[bytes]):
        sizes.append(len(jpegs))
        if wait is not None:
            wait.wait(20)
        return outputs(jpegs)

    monkeypatch.setattr(engine, "outputs", counted)
    return sizes


async def asked_behind_one(
    client: Client, shop: ServedShop, monkeypatch: pytest.MonkeyPatch, questions: list[dict]
) -> tuple[list[int], list[dict]]:
    """Ask about photos 0, 1, ..., which all wait while the model is held with a photo asked before.

    Returns the sizes of all batches, of which the first is that photo's, and what the questions found.
    """
    go_on = threading.Event()
    sizes = watched(client, monkeypatch, go_on)
    first = asyncio.create_task(client.search(shop.photo(0), k=1))
    while not sizes:
        await asyncio.sleep(0.01)
    asked = [asyncio.create_task(client.search(shop.photo(n), **question)) for n, question in enumerate(questions)]
    while len(client.service.batcher._waiting) < len(questions):
        await asyncio.sleep(0.01)
    go_on.set()
    await first
    return sizes, await asyncio.gather(*asked)


def test_batches_are_no_larger_than_set(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        sizes, answers = await asked_behind_one(client, shop, monkeypatch, [{"k": 1}] * 10)
        assert sizes == [1, 4, 4, 2]
        assert [ids(answer) for answer in answers] == [[f"i{n}"] for n in range(10)]

    alone(shop, ask, batch=4)


def test_a_batch_waits_for_photos_that_are_prepared(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        sizes, batcher, engine = watched(client, monkeypatch), client.service.batcher, engine_of(client)
        prepare, begun = engine.prepare, []

        def in_turn(*photo: Any) -> bytes:
            begun.append(photo)
            is_first = len(begun) == 1
            while batcher._coming < 2 if is_first else not batcher._waiting:
                time.sleep(0.01)
            return prepare(*photo)

        monkeypatch.setattr(engine, "prepare", in_turn)
        answers = await asyncio.gather(*(client.search(shop.photo(n), k=1) for n in range(2)))
        assert [ids(answer) for answer in answers] == [["i0"], ["i1"]]
        assert sizes == [2]

    alone(shop, ask, wait_ms=20_000.0)


def test_a_query_alone_waits_for_nobody(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        sizes = watched(client, monkeypatch)
        started = time.monotonic()
        await client.search(shop.photo(1), k=1)
        assert time.monotonic() - started < 4
        assert sizes == [1]

    alone(shop, ask, wait_ms=5000.0)


def test_while_the_model_works_the_next_batch_gathers(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        sizes, _ = await asked_behind_one(client, shop, monkeypatch, [{"k": 1}] * 7)
        assert sizes == [1, 7]

    alone(shop, ask, wait_ms=0.0)


def test_the_model_goes_on_while_the_event_loop_is_busy(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        go_on = threading.Event()
        sizes = watched(client, monkeypatch, go_on)
        asked = [asyncio.create_task(client.search(shop.photo(n), k=1)) for n in range(4)]
        while len(sizes) + len(client.service.batcher._waiting) < 4:
            await asyncio.sleep(0.01)
        go_on.set()
        until = time.monotonic() + 20
        while sum(sizes) < 4 and time.monotonic() < until:
            time.sleep(0.01)  # the loop stands still
        assert sizes == [1, 1, 1, 1]
        assert [ids(answer) for answer in await asyncio.gather(*asked)] == [[f"i{n}"] for n in range(4)]

    alone(shop, ask, batch=1, wait_ms=0.0)


def test_results_depend_on_no_other_query_of_the_batch(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [
        {"k": k} | extra for k in (1, 3, 7) for extra in ({}, {"attribute": "colour=red"}, {"explain": "true"})
    ]

    async def ask(client: Client) -> None:
        singly = [await client.search(shop.photo(n), **question) for n, question in enumerate(questions)]
        sizes, together = await asked_behind_one(client, shop, monkeypatch, questions)
        assert sizes == [1, len(questions)]
        assert [ids(answer) for answer in together] == [ids(answer) for answer in singly]
        for one, other in zip(singly, together, strict=True):
            scores = [[r["score"] for r in answer["answers"][0]["results"]] for answer in (one, other)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-5)

    alone(shop, ask)


@pytest.mark.parametrize("error", [EndedError("its process ends on this again and again"), MemoryError("too little")])
def test_a_model_that_ends_is_no_fault_of_the_photo(
    shop: ServedShop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def ask(client: Client) -> None:
        def ended(jpegs: list[bytes]) -> None:
            raise error

        current = client.service.follower.current
        assert current is not None
        with monkeypatch.context() as patched:
            patched.setattr(type(current.engine), "outputs", lambda _, jpegs: ended(jpegs))
            refused = await client.http.post("/v1/search", content=shop.photo(5))
        assert str(error) in problem(refused, 503, "model_ended")["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        assert ids(await client.search(shop.photo(5), k=1)) == ["i5"]

    alone(shop, ask)


def test_a_full_queue_refuses_with_when_to_ask_again(shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        go_on = threading.Event()
        watched(client, monkeypatch, go_on)
        held = [asyncio.create_task(client.search(shop.photo(n), k=1)) for n in range(4)]
        while await client.metric("queue_photos") != 4:
            await asyncio.sleep(0.01)
        refused = await client.http.post("/v1/search", content=shop.photo(5))
        assert "4 photos are waiting" in problem(refused, 429, "queue_full")["detail"]
        assert int(refused.headers["retry-after"]) >= 1
        go_on.set()
        assert [ids(answer) for answer in await asyncio.gather(*held)] == [[f"i{n}"] for n in range(4)]
        assert await client.metric("queue_photos") == 0
        assert ids(await client.search(shop.photo(5), k=1)) == ["i5"]
        assert await client.metric('refused_total{code="queue_full"}') == 1

    alone(shop, ask, queue=4, max_photos=4)


def test_a_query_that_is_not_answered_in_time_is_given_up_and_never_begun(
    shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(client: Client) -> None:
        go_on = threading.Event()
        sizes = watched(client, monkeypatch, go_on)
        first = asyncio.create_task(client.http.post("/v1/search", content=shop.photo(0)))
        while not sizes:
            await asyncio.sleep(0.01)
        problem(await client.http.post("/v1/search", content=shop.photo(1)), 504, "deadline")
        problem(await first, 504, "deadline")
        current = client.service.follower.current
        assert isinstance(current, LoadedRelease)
        assert current.uses == 2  # it stays open until the model has done with both
        go_on.set()
        monkeypatch.undo()
        assert ids(await client.search(shop.photo(2), k=1)) == ["i2"]
        assert sizes == [1]  # the second was dropped unasked
        assert current.uses == 0

    alone(shop, ask, deadline_ms=3000)


def test_steps_are_measured(shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        await asyncio.gather(*(client.search(shop.photo(n), k=1) for n in range(3)))
        for step in ("upload", "prepare", "wait"):
            assert await client.metric(f'step_seconds_count{{step="{step}"}}') == 3
        for step in ("model", "search"):
            assert 1 <= (await client.metric(f'step_seconds_count{{step="{step}"}}') or 0) <= 3
        assert await client.metric("batch_photos_sum") == 3
        route = '{method="POST",route="/v1/search",status="200"}'
        assert await client.metric(f"requests_total{route}") == 3
        assert await client.metric('release{index_id="first-index",model_id="m1",release_id="first"}') == 1
        assert (await client.metric("available_memory_bytes") or 0) > 0
        assert (await client.metric("release_predicted_bytes") or 0) > 0

    alone(shop, ask)
