"""What raters are asked, what they say, and that nothing tells them whose results they see."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from pipelines.judge.answers import Answers
from pipelines.judge.task import Pair, Question, Shown, read_task
from pipelines.preprocess.parts import commit_originals
from pipelines.releases.verdicts import Judged, Verdict, append_verdict
from serving.judge.sources import ReleasePhotos
from serving.keys import Keys
from tests.catalogue.shop import jpeg
from tests.serving import shop as shops
from tests.serving.client import Client, Shared, alone, problem, serving
from tests.serving.judged import FIRST, SECOND, TASK, add_task, make_judged, question, questions_of, shown
from tests.serving.shop import ServedShop
from transforms.photo import PrepSpec

AT = f"/v1/judge/tasks/{TASK}"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> ServedShop:
    """A shop with a task; raters have names of their own, so that tests may share it."""
    own = make_judged(tmp_path_factory.mktemp("judged") / "shop")
    add_task(own, raters=100)
    return own


@pytest.fixture(scope="module")
def raters(judged: ServedShop) -> Iterator[Shared]:
    shared = Shared(judged, ready=False)
    yield shared
    shared.close()


@pytest.fixture
def bare(tmp_path: Path) -> ServedShop:
    """A shop without a task."""
    return make_judged(tmp_path / "shop")


async def following(client: Client, rater: str, count: int = 1) -> dict[str, Any]:
    answer = await client.http.get(f"{AT}/next", params={"rater": rater, "count": count})
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


async def say(client: Client, rater: str, question_id: str, grade: str = "similar", **more: Any) -> dict[str, Any]:
    answer = await client.http.post(
        f"{AT}/answers", json={"rater": rater, "question_id": question_id, "grade": grade} | more
    )
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


def kept(shop: ServedShop) -> list[tuple[str, str, str, int | None]]:
    """Return the answers that count, as the file holds them."""
    with Answers.open(shop.config().answers) as answers:
        return [(a.rater, a.question_id, a.grade, a.milliseconds) for a in answers.of(read_task(shop.store, TASK))]


def test_a_question_shows_two_photos_with_their_titles_and_nothing_else(judged: ServedShop, raters: Shared) -> None:
    async def ask(client: Client) -> None:
        said = await following(client, "zoe", 20)
        assert said.keys() == {"task_id", "rater", "questions", "last", "progress"}
        assert (said["task_id"], said["rater"], said["last"]) == (TASK, "zoe", None)
        assert said["progress"] == {"answered": 0, "left": len(said["questions"])}
        by_id = {one.question_id: one.pair for one in questions_of(judged)}
        assert {one["question_id"] for one in said["questions"]} >= {name for name in by_id if name < "q9"}
        for one in said["questions"]:
            pair = by_id[one["question_id"]]
            assert one == {
                "question_id": pair.question_id,
                "query": {"photo": f"{AT}/photos/{pair.query.digest}", "title": pair.query.title},
                "result": {"photo": f"{AT}/photos/{pair.result.digest}", "title": pair.result.title},
            }

    raters(ask)


def test_what_is_told_ahead_is_what_comes_and_ends(judged: ServedShop, raters: Shared) -> None:
    async def ask(client: Client) -> None:
        ahead = [one["question_id"] for one in (await following(client, "ahead", 20))["questions"]]
        said = await following(client, "ahead")
        for number, name in enumerate(ahead):
            assert said["questions"][0]["question_id"] == name
            said = await say(client, "ahead", name, milliseconds=1000 + number)
            assert said["progress"]["answered"] == number + 1
            assert said["last"]["question"]["question_id"] == name
        assert (said["questions"], said["progress"]["left"]) == ([], 0)
        assert [one for one in kept(judged) if one[0] == "ahead"] == [
            ("ahead", name, "similar", 1000 + number) for number, name in enumerate(ahead)
        ]

    raters(ask)


def test_a_rater_goes_on_on_another_machine_and_each_has_questions_of_their_own(
    judged: ServedShop, raters: Shared
) -> None:
    async def ask(client: Client) -> None:
        for _ in range(3):
            said = await following(client, "Ann  Lee")
            await say(client, "Ann Lee", said["questions"][0]["question_id"])
        async with serving(judged, ready=False) as other:
            resumed = await following(other, " Ann Lee ")
            assert resumed == await following(client, "Ann Lee")
            assert (resumed["rater"], resumed["progress"]["answered"]) == ("Ann Lee", 3)
            bob = await following(other, "Bob")
            assert (bob["progress"]["answered"], bob["last"]) == (0, None)

    raters(ask)


def test_an_answer_is_taken_back_by_another_one(judged: ServedShop, raters: Shared) -> None:
    async def ask(client: Client) -> None:
        name = (await following(client, "undo"))["questions"][0]["question_id"]
        await say(client, "undo", name, "same")
        said = await say(client, "undo", name, "not", milliseconds=0)
        assert said["last"] == {"question": said["last"]["question"], "grade": "not"}
        assert said["progress"]["answered"] == 1
        assert [one for one in kept(judged) if one[0] == "undo"] == [("undo", name, "not", 0)]

    raters(ask)


def test_answers_of_many_at_once_are_all_kept(judged: ServedShop, raters: Shared) -> None:
    names = [one.question_id for one in questions_of(judged)]

    async def ask(client: Client) -> None:
        await asyncio.gather(*(say(client, f"many {n}", name) for n in range(4) for name in names))
        told = [
            (await client.http.get(f"{AT}/progress", params={"rater": f"many {n}"})).json()["progress"]
            for n in range(4)
        ]
        assert [(one["answered"], one["left"]) for one in told] == [(len(names), 0)] * 4

    raters(ask)
    assert len([one for one in kept(judged) if one[0].startswith("many")]) == 4 * len(names)


def test_a_question_is_done_when_enough_people_answered_it(bare: ServedShop) -> None:
    add_task(bare, raters=2)

    async def ask(client: Client) -> None:
        for rater in ("ann", "bob"):
            said = await following(client, rater)
            while said["questions"]:
                said = await say(client, rater, said["questions"][0]["question_id"])
        told = (await client.http.get(f"{AT}/progress", params={"rater": "cy"})).json()
        assert told == {"task_id": TASK, "rater": "cy", "progress": {"answered": 0, "left": 0}}
        assert (await following(client, "cy"))["questions"] == []

    alone(bare, ask, ready=False)


def test_tasks_are_listed_newest_first_with_those_that_are_decided(bare: ServedShop) -> None:
    async def ask(client: Client) -> None:
        assert (await client.http.get("/v1/judge/tasks")).json() == {"rater": None, "tasks": []}
        add_task(bare)
        add_task(bare, "20261130T120000Z-000000", created_at="2026-11-30T12:00:00+00:00")
        at = datetime.now(UTC).isoformat()
        append_verdict(bare.store, Verdict(TASK, "first", -0.1, -0.2, -0.05, 0.03, 0.95, 3, 24, 2, at))
        assert (await client.http.get("/v1/judge/tasks")).json()["tasks"] == [
            {"task_id": "20261130T120000Z-000000", "created_at": "2026-11-30T12:00:00+00:00", "decided": False},
            {"task_id": TASK, "created_at": "2026-11-29T12:00:00+00:00", "decided": True},
        ]

    alone(bare, ask, ready=False)


# Whose results raters see


async def everything(client: Client, rater: str) -> list[httpx.Response]:
    """Return all that a rater is told until nothing is left, and what goes wrong on the way."""
    http, said = client.http, list[httpx.Response]()
    said.append(await http.get("/v1/judge/tasks"))
    said.append(await http.get(f"{AT}/next", params={"rater": rater, "count": 20}))
    for one in said[-1].json()["questions"]:
        said += [await http.get(one[side]["photo"]) for side in ("query", "result")]
        given = {"rater": rater, "question_id": one["question_id"], "grade": "not"}
        said.append(await http.post(f"{AT}/answers", json=given))
    said.append(await http.get(f"{AT}/progress", params={"rater": rater}))
    said.append(await http.get(f"{AT}/photos/{'0' * 64}"))
    said.append(await http.get("/v1/judge/tasks/none/next"))
    said.append(await http.post(f"{AT}/answers", json={"rater": rater, "question_id": "none", "grade": "not"}))
    return said


def told(answers: list[httpx.Response]) -> list[tuple[int, list[tuple[str, str]], bytes]]:
    return [(answer.status_code, answer.headers.multi_items(), answer.content) for answer in answers]


def test_no_byte_of_what_raters_are_told_depends_on_which_release_found_it(
    own_shop: ServedShop, tmp_path: Path
) -> None:
    """The same questions with their releases, ranks and answers that are known exchanged: nothing else is told."""
    names = ("20260729T031502Z-aaaaaaaaaaaa", "20260730T031502Z-bbbbbbbbbbbb")
    for name, part, run in zip(names, ("first", "second"), ("run-1", "run-2"), strict=True):
        own_shop.add_release(name, f"{part}-index", run)
    own_shop.go_live(names[0])
    other = own_shop.copy(tmp_path / "other")
    one, two = (Judged(name, "m1", f"{part}-index") for name, part in zip(names, ("first", "second"), strict=True))
    asked = questions_of(own_shop)
    exchanged = [
        replace(each, first_rank=each.second_rank, second_rank=each.first_rank, expected=each.expected and "similar")
        for each in asked
    ]
    add_task(own_shop, first=one, second=two, questions=asked)
    add_task(other, first=two, second=one, questions=exchanged)
    heard: list[Any] = []

    async def ask(client: Client) -> None:
        await client.ready(names[0])
        heard.append(told(await everything(client, "ann")))

    alone(own_shop, ask)
    alone(other, ask)
    assert heard[0] == heard[1]
    assert len(heard[0]) > 40
    secrets = [*names, "m1", "first-index", "second-index", "run-1", "run-2", "rank", "gold", "expected"]
    whole = repr(heard[0])
    assert [secret for secret in secrets if secret in whole] == []


def test_where_releases_are_prepared_in_different_sizes_all_photos_are_shown_in_the_smaller(
    bare: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shops, "SPEC", PrepSpec(48, 32))
    bare.add_photos("run-3", [3, 20])
    bare.store.create_json("releases/fine/manifest.json", {"release_id": "fine", "run_id": "run-3"})
    task = add_task(bare, second=Judged("fine", "m1", "second-index"))
    photos = ReleasePhotos(bare.store, task)
    sizes = {Image.open(io.BytesIO(photos.find(bare.digest(n).hex()) or b"")).size for n in (3, 4, 20)}
    assert sizes == {(16, 21), (18, 24)}  # at most 24 high, both; the coarse one is 16 wide
    assert photos.find("0" * 64) is None


# Photos


async def size_of(client: Client, digest: str) -> tuple[int, int]:
    answer = await client.http.get(f"{AT}/photos/{digest}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    assert answer.headers["cache-control"] == "private, max-age=300"
    with Image.open(io.BytesIO(answer.content)) as picture:
        return picture.size


def test_a_photo_of_the_release_that_is_not_live_is_shown_as_it_was_prepared(
    judged: ServedShop, raters: Shared
) -> None:
    async def ask(client: Client) -> None:
        assert await size_of(client, judged.digest(15).hex()) == (16, 21)
        for number in (11, 20):
            answer = await client.http.get(f"{AT}/photos/{judged.digest(number).hex()}")
            problem(answer, 404, "unknown_photo")

    raters(ask)


def large(shop: ServedShop, uri: str) -> tuple[Question, bytes]:
    """Return a question about a photo of 900 x 1200 pixels, and the photo."""
    data = jpeg(77, (900, 1200))
    big = Shown("big", hashlib.sha256(data).hexdigest(), uri, "Big")
    return Question(Pair("qbig", shown(shop, 1), big), "pair", 9, 0), data


def test_the_shops_own_file_is_shown_large_as_long_as_it_is_the_photo_that_was_found(bare: ServedShop) -> None:
    asked, data = large(bare, "big.jpg")
    gone, _ = large(bare, "../secrets.jpg")
    add_task(
        bare,
        questions=[
            asked,
            replace(gone, pair=Pair("qgone", gone.pair.query, replace(gone.pair.result, digest="1" * 64))),
        ],
    )
    path = bare.root / "big.jpg"

    async def ask(client: Client) -> None:
        path.write_bytes(jpeg(78, (900, 1200)))
        problem(await client.http.get(f"{AT}/photos/{asked.pair.result.digest}"), 404, "unknown_photo")
        path.write_bytes(data)
        assert await size_of(client, asked.pair.result.digest) == (480, 640)
        problem(await client.http.get(f"{AT}/photos/{'1' * 64}"), 404, "unknown_photo")

    alone(bare, ask, ready=False)


def test_an_original_that_the_store_keeps_is_shown_large_and_no_host_is_asked(bare: ServedShop) -> None:
    asked, data = large(bare, "https://cdn.example/big.jpg")
    add_task(bare, questions=[asked])
    commit_originals(bare.store, [(hashlib.sha256(data).digest(), data), (b"x" * 32, b"another")])
    digest = asked.pair.result.digest

    async def without(client: Client) -> None:
        problem(await client.http.get(f"{AT}/photos/{digest}"), 404, "unknown_photo")

    async def with_originals(client: Client) -> None:
        assert await size_of(client, digest) == (480, 640)

    alone(bare, ready=False, ask=without)
    bare.config_path.write_text(bare.config_path.read_text() + "[fetch]\nkeep_originals = true\n")
    alone(bare, ready=False, ask=with_originals)


def test_what_is_hidden_is_neither_asked_nor_shown(bare: ServedShop) -> None:
    add_task(bare)

    async def ask(client: Client) -> None:
        digest = bare.digest(4).hex()
        assert await size_of(client, digest) == (16, 21)
        change(bare.store, HIDE, ["i4"], "sold")
        async with asyncio.timeout(60):
            while (await client.http.get(f"{AT}/photos/{digest}")).status_code != 404:
                await asyncio.sleep(0.02)
        said = await following(client, "ann", 20)
        assert said["progress"]["left"] == len(said["questions"]) >= 9
        assert {one["question_id"] for one in said["questions"]}.isdisjoint({"q004", "q104", "q204"})
        gone = {"rater": "ann", "question_id": "q004", "grade": "same"}
        problem(await client.http.post(f"{AT}/answers", json=gone), 404, "unknown_question")

    alone(bare, ask, ready=False)


# What is refused


GIVEN = {"rater": "eve", "question_id": "q004", "grade": "same"}
HOSTILE: dict[str, tuple[Any, int, str]] = {
    "no grade": ({**GIVEN, "grade": "good"}, 422, "bad_parameter"),
    "a number for a grade": ({**GIVEN, "grade": 1}, 422, "bad_parameter"),
    "a question of nobody": ({**GIVEN, "question_id": "'; DROP TABLE answers; --"}, 404, "unknown_question"),
    "a long question": ({**GIVEN, "question_id": "q" * 101}, 422, "bad_parameter"),
    "a question that is none": ({**GIVEN, "question_id": None}, 422, "bad_parameter"),
    "no rater": ({**GIVEN, "rater": None}, 422, "bad_rater"),
    "a blank rater": ({**GIVEN, "rater": " \t"}, 422, "bad_rater"),
    "a long rater": ({**GIVEN, "rater": "e" * 101}, 422, "bad_rater"),
    "a rater that cannot be shown": ({**GIVEN, "rater": "eve\u202e"}, 422, "bad_rater"),
    "a rater with a NUL": ({**GIVEN, "rater": "eve\0"}, 422, "bad_rater"),
    "a rater that is a list": ({**GIVEN, "rater": ["eve"]}, 422, "bad_parameter"),
    "less than no time": ({**GIVEN, "milliseconds": -1}, 422, "bad_parameter"),
    "more time than there is": ({**GIVEN, "milliseconds": 2**31}, 422, "bad_parameter"),
    "a part of a millisecond": ({**GIVEN, "milliseconds": 0.5}, 422, "bad_parameter"),
    "time that is a word": ({**GIVEN, "milliseconds": "1"}, 422, "bad_parameter"),
    "another field": ({**GIVEN, "answered_at": "2020-01-01"}, 422, "bad_parameter"),
    "a list": ([GIVEN], 422, "bad_parameter"),
    "nothing": ({}, 422, "bad_parameter"),
}
BODIES: dict[str, tuple[bytes, str, int, str]] = {
    "no JSON": (b"rater=eve", "application/json", 400, "not_json"),
    "no bytes": (b"", "application/json", 400, "not_json"),
    "half": (json.dumps(GIVEN).encode()[:-1], "application/json", 400, "not_json"),
    "no text": (b"\xff\xfe\x00", "application/json", 400, "not_json"),
    "half a character": (
        b'{"rater": "\\ud800", "question_id": "q004", "grade": "same"}',
        "application/json",
        400,
        "not_json",
    ),
    "deep": (b"[" * 10_000, "application/json", 400, "not_json"),
    "a form of another site": (json.dumps(GIVEN).encode(), "text/plain", 400, "not_json"),
    "a form": (b"rater=eve", "application/x-www-form-urlencoded", 400, "not_json"),
    "a book": (b'{"rater": "' + b"e" * 20_000 + b'"}', "application/json", 413, "body_too_large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_none_is_refused(judged: ServedShop, raters: Shared, name: str) -> None:
    given, status, code = HOSTILE[name]

    async def ask(client: Client) -> None:
        problem(await client.http.post(f"{AT}/answers", json=given), status, code)

    raters(ask)
    assert not [one for one in kept(judged) if one[0].startswith("e")]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_answer_is_refused(judged: ServedShop, raters: Shared, name: str) -> None:
    body, kind, status, code = BODIES[name]

    async def ask(client: Client) -> None:
        answer = await client.http.post(f"{AT}/answers", content=body, headers={"Content-Type": kind})
        problem(answer, status, code)

    raters(ask)
    assert not [one for one in kept(judged) if one[0].startswith("e")]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{AT}/next", 422, "bad_rater"),
        (f"{AT}/next?rater=", 422, "bad_rater"),
        (f"{AT}/next?rater=%00", 422, "bad_rater"),
        (f"{AT}/next?rater=eve&count=0", 422, "bad_parameter"),
        (f"{AT}/next?rater=eve&count=21", 422, "bad_parameter"),
        (f"{AT}/progress", 422, "bad_rater"),
        (f"{AT}/answers", 405, "wrong_method"),
        ("/v1/judge/tasks/none/next?rater=eve", 404, "unknown_task"),
        ("/v1/judge/tasks/..%2F..%2Flive/next?rater=eve", 404, "not_found"),
        ("/v1/judge/tasks/.hidden/next?rater=eve", 422, "bad_parameter"),
        (f"{AT}/photos/{'g' * 64}", 422, "bad_parameter"),
        ("/v1/judge/tasks/none/photos/" + "0" * 64, 404, "unknown_task"),
    ],
)
def test_what_nobody_can_be_asked_is_told(raters: Shared, path: str, status: int, code: str) -> None:
    async def ask(client: Client) -> None:
        problem(await client.http.get(path), status, code)

    raters(ask)


def test_where_there_are_keys_a_rater_is_the_keys(bare: ServedShop, tmp_path: Path) -> None:
    add_task(bare)
    path = tmp_path / "keys.toml"
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("ann", "bob")}
    path.write_text("".join(f'[{name}]\nsha256 = "{digest}"\n' for name, digest in digests.items()))
    ann = {"Authorization": "Bearer ann"}

    async def main() -> None:
        async with serving(bare, Keys.read(path), ready=False) as client:
            http = client.http
            for way in ("/v1/judge/tasks", f"{AT}/next", f"{AT}/progress", f"{AT}/photos/{bare.digest(4).hex()}"):
                problem(await http.get(way), 401, "no_key")
            problem(await http.post(f"{AT}/answers", json=GIVEN), 401, "no_key")
            assert (await http.get("/v1/judge/tasks", headers=ann)).json()["rater"] == "ann"
            said = (await http.get(f"{AT}/next", headers=ann)).json()
            assert said["rater"] == "ann"
            given = {"question_id": said["questions"][0]["question_id"], "grade": "same"}
            for body in (given, given | {"rater": "ann"}):
                assert (await http.post(f"{AT}/answers", json=body, headers=ann)).status_code == 200
            refused = problem(
                await http.post(f"{AT}/answers", json=given | {"rater": "bob"}, headers=ann), 422, "bad_rater"
            )
            assert "the key is that of 'ann'" in refused["detail"]
            problem(await http.get(f"{AT}/next?rater=bob", headers=ann), 422, "bad_rater")

    asyncio.run(main())
    assert {one[0] for one in kept(bare)} == {"ann"}


def test_a_service_that_cannot_keep_answers_says_so_and_how_to_mend_it(bare: ServedShop) -> None:
    add_task(bare)
    config = bare.config_path.read_text()
    bare.config_path.write_text(f'{config}[judge]\nanswers = "taken"\n')
    (bare.root / "taken").mkdir()

    async def ask(client: Client) -> None:
        for answer in (
            await client.http.get(f"{AT}/next?rater=ann"),
            await client.http.post(f"{AT}/answers", json=GIVEN),
            await client.http.get(f"{AT}/progress?rater=ann"),
        ):
            told = problem(answer, 503, "no_answers")
            assert "judge.answers must name a file that the service may write, or postgresql://" in told["detail"]
            assert str(bare.root) not in answer.text
            assert answer.headers["retry-after"] == "5"
        (bare.root / "taken").rmdir()
        assert (await following(client, "ann"))["progress"]["answered"] == 0

    alone(bare, ask, ready=False)


def test_a_store_that_fails_is_told_without_the_names_of_its_objects(bare: ServedShop) -> None:
    add_task(bare, first=FIRST, second=SECOND, questions=[question(bare, "q1", 0, 15)])
    bare.store.put(f"judgements/{TASK}/questions.parquet", b"damaged")

    async def ask(client: Client) -> None:
        answer = await client.http.get(f"{AT}/next?rater=ann")
        problem(answer, 503, "store")
        assert "judgements" not in answer.text

    alone(bare, ask, ready=False)
