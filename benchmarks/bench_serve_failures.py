"""What goes wrong around a service under load: hidden items, hostile requests, kills, bad releases, a silent bucket.

    python -m benchmarks.bench_serve_failures [--shop FOLDER] [--rate 40] [--only hidden hostile killed bad silent]

Each part has a service of its own, which is asked by photo all the time from a process of its own. The last result
stays in benchmarks/results/. Expected: hidden items are gone within five seconds; each hostile request is refused with
its code while memory stays and others are answered; after each kill -9 it starts again and answers; a release that
cannot be loaded changes nothing; a bucket that does not answer for a minute is not noticed by who asks.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np

from benchmarks.checks import at_least, at_most, keep
from benchmarks.load import ANSWERED, REFUSED, RESULTS, Load, Record, summary
from benchmarks.served import Serve, ServedShop, kept_shop, shop_parser
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.releases.publish import reference
from pipelines.releases.release import read_release
from tests.serving.test_hostile import HOSTILE, SETTINGS, ask

HIDDEN, KILLS = 100, 10
STEADY_S, ATTACK_S, DOWN_S, SOON_S = 20.0, 30.0, 60.0, 5.0
ATTACKS_PER_S = 20
Checks = list[dict[str, Any]]


@contextmanager
def asked(serve: Serve, shop: ServedShop, rate: float, **options: Any) -> Iterator[Record]:
    """Ask a service all the time; what came of it is there in the end."""
    record = Record()
    prefixes = json.dumps({release_id: name for name, release_id in shop.releases.items()})
    load = Load(serve.url, shop.photo_folder, shop.root / "asked.npz", rate=rate, releases=prefixes, **options)
    try:
        time.sleep(2)
        yield record
    finally:
        vars(record).update(vars(load.end()))


def errors_of(record: Record) -> int:
    """Return how many queries were not answered."""
    return int(np.sum(np.array(record.status) != ANSWERED))


def hidden(shop: ServedShop, rate: float) -> tuple[dict[str, Any], Checks]:
    """Hide a hundred items that are among the answers."""
    first = next(iter(shop.releases))
    shop.go_live(first)
    with Serve(shop) as serve:
        serve.ready(shop.releases[first])
        ids = _found(serve, shop)
        watch = shop.root / "hidden.txt"
        watch.write_text("\n".join(ids), encoding="utf-8")
        with asked(serve, shop, rate, watch=watch) as record:
            time.sleep(3)
            moment = time.monotonic()
            change(shop.store, HIDE, ids, "sold")
            time.sleep(3 * SOON_S)
        change(shop.store, UNHIDE, ids, "measured")
    seen = np.array(record.watched) > 0
    began, ended = np.array(record.began), np.array(record.began) + np.array(record.seconds)
    last_s = float(ended[seen].max() - moment)
    late = int(np.sum(seen & (began > moment + SOON_S)))
    told = {"items": len(ids), "queries": len(began), "showed_them_before": int(np.sum(seen & (ended < moment)))}
    return told | {"last_seen_s": round(last_s, 2)}, [
        at_least("items hidden under load", len(ids), HIDDEN),
        at_most("seconds until a hidden item was last seen", last_s, SOON_S),
        at_most("answers with hidden items after that", late, 0),
        at_most("errors while items were hidden", errors_of(record), 0),
    ]


def _found(serve: Serve, shop: ServedShop) -> list[str]:
    """Return a hundred items that answers show."""
    ids: dict[str, None] = {}
    for path in sorted(shop.photo_folder.rglob("*.jpg")):
        answer = httpx.post(f"{serve.url}/v1/search?k={RESULTS}", content=path.read_bytes(), timeout=30).json()
        ids |= {result["item_id"]: None for result in answer["answers"][0]["results"]}
        if len(ids) >= HIDDEN:
            break
    return [*ids][:HIDDEN]


def hostile(shop: ServedShop, rate: float) -> tuple[dict[str, Any], Checks]:
    """Send what means harm, some of it every moment, beside queries that are meant well."""
    first = next(iter(shop.releases))
    shop.go_live(first)
    text = shop.config_path.read_text(encoding="utf-8")
    bounds, _, serving = SETTINGS.partition("[serving]")
    text = text.replace("[preprocess]\n", f"[preprocess]{bounds}").replace("[serving]\n", f"[serving]{serving}")
    shop.config_path.write_text(text, encoding="utf-8")
    with Serve(shop) as serve:
        serve.ready(shop.releases[first])
        target: Any = SimpleNamespace(url=serve.url)
        wrong = [name for name, (wire, *told) in HOSTILE.items() if _code(*ask(target, wire)) != tuple(told)]
        with asked(serve, shop, rate) as record:
            time.sleep(STEADY_S)
            before, moment = serve.memory_bytes(), time.monotonic()
            attacks = _attack(target, ATTACK_S)
            after = serve.memory_bytes()
    began = np.array(record.began)
    steady, attacked = summary(record, began < moment), summary(record, began >= moment)
    told = {"kinds": len(HOSTILE), "attacks": attacks, "steady": steady, "attacked": attacked, "not_refused_so": wrong}
    return told | {"memory_mib": {"before": before >> 20, "after": after >> 20}}, [
        at_least("kinds of hostile requests", len(HOSTILE), 30),
        at_most("that were not refused with their code", len(wrong), 0),
        at_most("MiB that memory grew by", (after - before) / 2**20, 32),
        at_most("errors of other queries meanwhile", errors_of(record), 0),
        at_most("p99 of other queries, to that without attacks", attacked["p99_ms"] / steady["p99_ms"], 2.0),
    ]


def _code(status: int, body: bytes) -> tuple[int, str]:
    return status, str(json.loads(body).get("code", "")) if body.startswith(b"{") else ""


def _attack(target: Any, seconds: float) -> int:
    """Send hostile requests at a steady pace for so long; return how many."""
    wires = [wire for wire, status, _ in HOSTILE.values() if status != 408]
    began, sent = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        threading.Thread(target=ask, args=(target, wires[sent % len(wires)]), daemon=True).start()
        sent += 1
        time.sleep(max(0.0, began + sent / ATTACKS_PER_S - now))
    time.sleep(2)
    return sent


def killed(shop: ServedShop, rate: float) -> tuple[dict[str, Any], Checks]:
    """Kill it at ten moments, half of them while a release is exchanged, and start it again as a supervisor does."""
    names = [*shop.releases]
    shop.go_live(names[0])
    back_s, random = list[float](), np.random.default_rng(0)
    serve = Serve(shop)
    try:
        serve.ready(shop.releases[names[0]])
        with asked(serve, shop, rate) as record:
            for number in range(KILLS):
                name = names[number % len(names)]
                if number % 2:
                    shop.go_live(name)
                time.sleep(float(random.uniform(0, 2)))
                serve.process.send_signal(signal.SIGKILL)
                serve.process.wait()
                began, live = time.monotonic(), shop.live
                serve = Serve(shop, serve.port)
                serve.ready(live)
                back_s.append(time.monotonic() - began)
                time.sleep(1)
    finally:
        serve.__exit__()
    status = np.array(record.status)
    told = {
        "back_s": [round(each, 1) for each in back_s],
        "queries": len(status),
        "answered": int(np.sum(status == ANSWERED)),
    }
    refused = (status == REFUSED) | (status == httpx.codes.SERVICE_UNAVAILABLE)
    return told, [
        at_least("kills after which it started by itself and answered", len(back_s), KILLS),
        at_most(
            "answers that are neither right nor say that it is not ready",
            int(np.sum(~refused & (status != ANSWERED))),
            0,
        ),
        at_most("answers that mix releases", int(np.sum(record.mixed)), 0),
    ]


def bad(shop: ServedShop, rate: float) -> tuple[dict[str, Any], Checks]:
    """Have releases go live of which a file is damaged, missing, or of another space."""
    names = [*shop.releases]
    shop.go_live(names[0])
    spoils: dict[str, tuple[Callable[[ServedShop], ServedShop], str]] = {
        "a damaged file": (_damaged, "damaged"),
        "half uploaded": (_half, "damaged"),
        "another space": (_other_space, "unusable"),
    }
    told = {}
    with Serve(shop) as serve:
        serve.ready(shop.releases[names[0]])
        with asked(serve, shop, rate) as record:
            for what, (spoil, reason) in spoils.items():
                spoil(shop).go_live("bad")
                until = time.monotonic() + 60
                while (said := serve.told().get("live", {})).get("reason") != reason and time.monotonic() < until:
                    time.sleep(0.1)
                told[what] = said
                shop.go_live(names[0])
                serve.ready(shop.releases[names[0]])
    right = sum(told[what].get("reason") == reason for what, (_, reason) in spoils.items())
    answered = {release for release, status in zip(record.release, record.status, strict=True) if status == ANSWERED}
    return {"told": told, "queries": len(record.began)}, [
        at_least("bad releases that were told and changed nothing", right, len(spoils)),
        at_most("errors meanwhile", errors_of(record), 0),
        at_most("releases that answered meanwhile", len(answered), 1),
    ]


def _copied(shop: ServedShop, *, half: bool = False, **facts: Any) -> ServedShop:
    """Return a shop with a release more, which has copies of another one's model and index; `facts` are its model's."""
    store, release_id = shop.store, f"bad-{time.monotonic_ns()}"
    release = read_release(store, shop.releases["b"])
    root, model_id, index_id = shop.root / "store", f"m-{release_id}", f"i-{release_id}"
    shutil.copytree(root / "models" / release.model_id, root / "models" / model_id)
    shutil.copytree(root / "indexes" / release.index_id, root / "indexes" / index_id)
    path = root / "models" / model_id / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"model_id": model_id} | facts))
    space_id = str(facts.get("space_id", release.space_id))
    model = reference(store, f"models/{model_id}", model_id=model_id, space_id=space_id)
    index = reference(store, f"indexes/{index_id}", index_id=index_id)
    parts = {"release_id": release_id, "run_id": release.run_id, "model": model, "index": index}
    store.create_json(f"releases/{release_id}/manifest.json", parts)
    vectors = root / "indexes" / index_id / "vectors.npy"
    if half:
        vectors.unlink()
    return replace(shop, releases={"bad": release_id})


def _damaged(shop: ServedShop) -> ServedShop:
    made = _copied(shop)
    path = made.root / "store" / "indexes" / f"i-{made.releases['bad']}" / "vectors.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return made


def _half(shop: ServedShop) -> ServedShop:
    return _copied(shop, half=True)


def _other_space(shop: ServedShop) -> ServedShop:
    return _copied(shop, space_id="elsewhere")


def silent(shop: ServedShop, rate: float) -> tuple[dict[str, Any], Checks]:
    """Have the bucket fail for a minute; in its midst the process is killed, and starts from its copies."""
    first = next(iter(shop.releases))
    shop.go_live(first)
    down, cache = shop.root / "down", shop.root / "cache"
    before, environment = (
        f"from benchmarks.far import install; install({str(down)!r})\n",
        {"XDG_CACHE_HOME": str(cache)},
    )
    serve = Serve(shop, 0, before, **environment)
    try:
        serve.ready(shop.releases[first])
        with asked(serve, shop, rate) as record:
            down.touch()
            time.sleep(DOWN_S)
            said = serve.told()
        serve.process.send_signal(signal.SIGKILL)
        serve.process.wait()
        serve = Serve(shop, serve.port, before, **environment)
        serve.ready(shop.releases[first])
        down.unlink()
        second = [*shop.releases][1]
        shop.go_live(second)
        serve.ready(shop.releases[second])
    finally:
        down.unlink(missing_ok=True)
        serve.__exit__()
    return {"told": said, "queries": len(record.began)}, [
        at_most("errors in the minute that the bucket fails", errors_of(record), 0),
        at_least("it says so", float("store" in said), 1),
        at_least("a start meanwhile answers, and a promotion afterwards is followed", 1, 1),
    ]


PARTS = {part.__name__: part for part in (hidden, hostile, killed, bad, silent)}


def main() -> None:
    """Measure and keep the result."""
    parser = shop_parser(__doc__)
    parser.add_argument("--rate", type=float, default=40.0, help="queries a second")
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS])
    given = parser.parse_args()
    parts, checks = {}, Checks()
    with kept_shop(given) as kept, tempfile.TemporaryDirectory() as folder:
        for name in given.only:
            shop = replace(kept, root=Path(folder, name))
            shutil.copytree(kept.root, shop.root, symlinks=True)  # a drawn photo is a link to itself
            parts[name], found = PARTS[name](shop, given.rate)
            checks += found
            print(json.dumps(parts[name]), flush=True)
    cores = len(os.sched_getaffinity(0))
    keep("serve_failures", {"what": "what goes wrong around a service", "cores": cores, **parts, "checks": checks})


if __name__ == "__main__":
    main()
