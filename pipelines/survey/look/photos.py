"""What a sample of photos says of all: what does not come, how long they take, what size they are, which are alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from pipelines.catalogue.photo_uris import place_in
from pipelines.config import Config
from pipelines.models.advice import SIDE, Size, is_advised, is_too_small
from pipelines.preprocess.fixes import fix_of
from pipelines.preprocess.prepare import Preparer
from pipelines.shop_files.web.addresses import shown
from pipelines.shop_files.web.failures import NOT_READY
from pipelines.survey.draft.photos import SMALL_SIDE, recommended
from pipelines.survey.look.fetched import Fetched, Sample
from pipelines.survey.look.findings import ODD, STOPS, TOLD, Finding
from pipelines.tables.alike import band_keys, find_alike

_SHOWN: Final = 3
_PLACEHOLDER: Final = 3
"""So many photos of a sample with the very same bytes under addresses of their own are hardly of products."""
_NO_FAILURE: Final = frozenset({"slower", "redirected", NOT_READY})
_BLANK: Final = 0.1
"""The share of a prepared photo that may be left blank without a word."""


def photo_findings(config: Config, preparer: Preparer, sample: Sample, total: int) -> Iterator[Finding]:
    """Yield what a sample says; `total` photos are in the feed."""
    yield from _came(sample)
    yield from _refused(config, preparer, sample)
    yield from _limited(sample)
    yield from _all_of_them(sample, total)
    yield from _sizes(config, sample, total)
    yield from _same(sample)
    yield from _alike(sample)


def _came(sample: Sample) -> Iterator[Finding]:
    formats = Counter(one.format for one in sample.came)
    told = tuple(f"{name} ({count})" for name, count in formats.most_common(_SHOWN))
    what = f"photos of a sample of {sample.asked} that came and can be used, in {sample.seconds:.1f} s"
    yield Finding("sample", TOLD, what, len(sample.came), told)
    late = sample.asked - len(sample.photos)
    if late:
        fix = "give it more --seconds, or see fetch.connections and the hosts' own limits"
        yield Finding("late", ODD, "photos that were not there in time", late, fix=fix)


def _refused(config: Config, preparer: Preparer, sample: Sample) -> Iterator[Finding]:
    bad = [one for one in sample.photos if one.code]
    limit, fixes = config.preprocess.max_rejected_share, dict[str, str]()
    for code, count in Counter(one.code for one in bad).most_common():
        first = next(one for one in bad if one.code == code)
        example = f"{first.photo.uri}: {preparer.explain(first.photo.uri, code, first.said)}"
        is_far = preparer.fetcher.address(first.photo.uri) is not None
        fix = fix_of(code, is_far=is_far) or "mend the feed or the photos"
        if code == "rate_limited":
            host = first.photo.host
            fix = f'set fetch.hosts."{host}".requests_per_second = {_rate(sample, first):g}, or ask who runs the host'
        if code == "refused_address":
            fix = _allowing(preparer, [one.photo.uri for one in bad if one.code == code])
        if is_far and (place := place_in(first.photo.uri)):
            fix = f"{place!r} looks like a place to fill in: let the export write whole addresses"
        fixes[code] = fix
        yield Finding(f"photo_{code}", ODD, f"photos of the sample rejected, {code}", count, (example,), fix)
    if sample.photos and len(bad) > limit * len(sample.photos):
        what = (
            f"{len(bad)} of {len(sample.photos)} photos are rejected, over preprocess.max_rejected_share = {limit:.0%}"
        )
        codes = ", ".join(f"{code} {count}" for code, count in Counter(one.code for one in bad).most_common())
        fix = f"{next(iter(fixes.values()))}; a run would fail (examples of each are below)"
        yield Finding("too_many_photos_rejected", STOPS, f"{what}: {codes}", fix=fix)


def _allowing(preparer: Preparer, uris: Sequence[str]) -> str:
    """Return the line that allows the hosts of addresses."""
    addresses = filter(None, map(preparer.fetcher.address, uris))
    hosts = sorted({host for address in addresses if (host := urlsplit(address).hostname)})
    return f"if these are the shop's own machines, write allowed_networks = {json.dumps(hosts)} below [fetch]"


def _limited(sample: Sample) -> Iterator[Finding]:
    """Tell of hosts that take several requests a photo, though the last one brought it, and why they do."""
    for host, tally in sorted(sample.hosts.items()):
        slower = tally.further["slower"] - tally.codes["rate_limited"]
        failed = sum(count - tally.codes[code] for code, count in tally.further.items() if code not in _NO_FAILURE)
        few = 0.2 * max(1, tally.fetched)
        if slower > few:
            fix = f'set fetch.hosts."{host}".requests_per_second = {_of(tally.fetched, tally.seconds):g}'
            yield Finding("asked_again", ODD, f"further requests to {host}: it limits its rate", slower, fix=fix)
        if failed > few and tally.fetched:  # of one that gives nothing, the codes of its photos say why
            fix = "ask who runs the host, or ask for less at once: fetch.connections"
            yield Finding(
                "failed_now_and_then", ODD, f"further requests to {host}: it fails now and then", failed, fix=fix
            )
        if tally.further["redirected"] > few:
            yield _redirected(host, tally.further["redirected"], sample)


def _redirected(host: str, count: int, sample: Sample) -> Finding:
    told = tuple(
        f"{shown(one.photo.uri)} -> {one.final}" for one in sample.photos if one.final and one.photo.host == host
    )
    fix = "write the final address into the feed: each redirect costs a request more"
    return Finding("redirected", ODD, f"further requests since {host} redirects", count, told[:_SHOWN], fix)


def _rate(sample: Sample, one: Fetched) -> float:
    tally = sample.hosts.get(one.photo.host)
    return _of(tally.fetched, tally.seconds) if tally else 1.0


def _of(fetched: int, seconds: float) -> float:
    """Return photos a second with two digits, at least one."""
    return float(f"{max(1.0, fetched / max(seconds, 0.1)):.2g}")


def _all_of_them(sample: Sample, total: int) -> Iterator[Finding]:
    came = sample.came
    if not came:
        return
    size = mean(one.size for one in came)
    each = sample.seconds / len(came)
    kept = mean(len(one.prepared.jpeg) for one in came if one.prepared)
    what = (
        f"all {total:,} photos are about {_bytes(size * total)} ({_bytes(size)} each), {_bytes(kept * total)} once "
        f"prepared, and take about {_duration(each * total)} at the rate of the sample ({1 / each:.1f} a second)"
    )
    yield Finding("all_photos", TOLD, what)


def pretrained_size(sample: Sample) -> Size | None:
    """Return how a sample's photos had best be prepared for a network that has learned ImageNet; None without any."""
    better = recommended(_sizes_of(sample), SIDE)
    return better[:2] if better else None


def _sizes_of(sample: Sample) -> list[tuple[int, int]]:
    return [(one.prepared.width, one.prepared.height) for one in sample.came if one.prepared]


def _sizes(config: Config, sample: Sample, total: int) -> Iterator[Finding]:
    sizes, weights = _sizes_of(sample), config.train.initial_weights
    better = recommended(sizes, SMALL_SIDE if weights is None else SIDE)
    if better is None:
        return
    height, width, why = better
    section = config.preprocess
    blank = 1 - mean(_shown(size, section.width, section.height) for size in sizes)
    if blank > _BLANK and (height, width) != (section.height, section.width):
        what = f"{why}; of {section.width} x {section.height} prepared ones {blank:.0%} is left blank"
        fix = f"set preprocess.height = {height} and preprocess.width = {width}"
        other = pretrained_size(sample)
        if other and is_advised(total, weights) and not is_too_small(other):
            fix += f"; or {other[0]} and {other[1]} to start from weights that have learned ImageNet (see there)"
        yield Finding("size", ODD, what, fix=fix)
    else:
        yield Finding("size", TOLD, f"{why}; prepared they have {section.width} x {section.height}")


def _shown(size: tuple[int, int], width: int, height: int) -> float:
    """Return the share of a canvas that a photo fills."""
    scale = min(width / size[0], height / size[1], 1.0)
    return size[0] * scale * size[1] * scale / (width * height)


def _same(sample: Sample) -> Iterator[Finding]:
    by_digest: dict[str, list[Fetched]] = {}
    for one in sample.came:
        by_digest.setdefault(one.digest, []).append(one)
    often = {digest: of for digest, of in by_digest.items() if len(of) >= _PLACEHOLDER}
    if often:
        told = tuple(f"sha256 {digest} ({len(of)} times), {of[0].photo.uri}" for digest, of in often.items())
        fix = "if they show no product, list their sha256 in a file, and set preprocess.dropped_photos to it"
        count = sum(map(len, often.values()))
        yield Finding(
            "placeholders", ODD, "photos of the sample that are the same under several names", count, told[:_SHOWN], fix
        )


def _alike(sample: Sample) -> Iterator[Finding]:
    first: dict[str, Fetched] = {}
    for one in sample.came:
        first.setdefault(one.digest, one)
    photos = [*first.values()]
    if len(photos) < 2:
        return
    labels = pa.array([place.to_bytes(8, "big") for place in range(len(photos))], pa.binary(8))
    hashes = pa.array([one.prepared.phash for one in photos if one.prepared], pa.binary(8))
    pairs = find_alike(band_keys(pa.table({"phash": hashes, "label": labels})))
    named = [
        (photos[int.from_bytes(a, "big")].photo, photos[int.from_bytes(b, "big")].photo)
        for a, b in zip(pairs["label"].to_pylist(), pairs["other"].to_pylist(), strict=True)
    ]
    others = [(a, b) for a, b in named if a.item_id != b.item_id]
    if others:
        told = tuple(f"{a.uri} and {b.uri}" for a, b in others[:_SHOWN])
        fix = "they stay in one split, and a search shows both; variants want catalogue.columns.group_id"
        yield Finding(
            "near_duplicates",
            TOLD,
            "pairs of the sample that look the same, of different items",
            len(others),
            told,
            fix,
        )


def _bytes(size: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} hours"
