"""A trace in the terminal, for a person: what each step knows, line by line, and one sentence at the end."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.neighbours.results import price_in_words
from pipelines.trace.facts import UNKNOWN, Catalogued, Fetched, PhotoTrace, QueryTrace, Row, Trace, Trail, Vector
from pipelines.trace.since import answer

FILES = {
    "read": "as it was read",
    "changed": "in a file that has changed since it was read",
    "new": "in a file that was not read yet",
    "passed_over": "in a file of deltas that was passed over",
}


def lines_of(trace: Trace) -> Iterator[str]:
    """Yield the lines of a trace."""
    yield _line("item", trace.item_id)
    yield from (_line("row", _row(row)) for row in trace.rows)
    if trace.trail:
        yield from _trail(trace.trail)
    if trace.since:
        says = "; ".join((*trace.changes, trace.since.verdict.sentence))
        yield _line("since", f"run {trace.since.run_id}: {says}")
    if trace.near:
        yield _line("near", ", ".join(map(repr, trace.near)))
    yield from (_line("note", note) for note in trace.notes)
    if trace.query:
        yield from _query(trace.query)
    yield ""
    yield f"{trace.item_id}: {trace.verdict.sentence}"
    if trace.verdict.fix:
        yield f"what to do: {trace.verdict.fix}"


def _line(name: str, text: str) -> str:
    return f"{name:<10}{text}"


def _row(row: Row) -> str:
    says = f"{row.code}: {row.detail}" if row.code else f"says that it {row.says_gone}" if row.deleted else ""
    photos = f"photos {', '.join(row.photos)}" if row.photos else ""
    parts = (f"of the {row.feed}", FILES[row.file], row.updated_at, photos, says)
    return f"{row.source}: {', '.join(filter(None, parts))}"


def _trail(trail: Trail) -> Iterator[str]:
    if trail.release_id:
        yield _line("release", f"{trail.release_id}{', live' if trail.is_live else ''}, of run {trail.run_id}")
    else:
        yield _line("run", f"{trail.run_id}, not live")
    yield _line("catalogue", f"no. {trail.catalogue}: {_catalogued(trail.catalogued)}")
    for laid in trail.catalogued.laid:
        place = f", {laid.place}" if laid.place else ""
        yield _line("", f"{laid.what} by {laid.by}{place}; the feed says {laid.said or 'nothing'!r}")
    for reject in trail.catalogued.rejects:
        yield _line("", f"rejected {reject.source} (no. {reject.catalogue}): {reject.code}: {reject.detail}")
    if trail.leaf:
        learned = {True: "learned by the model", False: "looked in by every query: not learned", None: "no model yet"}
        yield _line("leaf", f"{trail.leaf.value}, slot {trail.leaf.slot}, {learned[trail.leaf.learned]}")
    for photo in trail.photos:
        yield from _photo(photo)


def _catalogued(found: Catalogued) -> str:
    if found.state == UNKNOWN:
        return "nothing of it"
    price = price_in_words(found.price, found.currency)
    group = f"group {found.group_id}" if found.group_id else ""
    feed = f"by the {found.feed}" if found.feed else ""
    parts = (found.state, found.title, " > ".join(found.category), price, group, found.at, feed)
    return ", ".join(filter(None, parts))


def _photo(photo: PhotoTrace) -> Iterator[str]:
    yield _line("photo", f"{photo.image_uri} ({photo.role}, {photo.position}){_address(photo)}")
    if photo.fetched:
        yield from _fetched(photo.fetched)
    if photo.code:
        yield _line("  reject", f"{photo.code}: {photo.meaning}")
    if photo.digest:
        yield _line("  digest", photo.digest)
    for name, items in (("  same", photo.same), ("  alike", photo.alike)):
        if items:
            yield _line(name, f"also of {', '.join(items)}")
    if photo.prep_id:
        yield _line("  ready", f"{photo.prep_id}, unit {photo.image_unit}, row {photo.image_row}")
    if photo.group:
        yield _line("  split", f"{photo.split or 'none'}, group {photo.group}")
    if photo.vector:
        yield _line("  vector", _vector(photo.vector))
    if photo.in_index is not None:
        why = "" if photo.code or (photo.vector and photo.vector.code) else f": {photo.verdict.sentence}"
        yield _line("  index", "yes" if photo.in_index else f"no{why}")


def _address(photo: PhotoTrace) -> str:
    return "" if photo.address in {None, photo.image_uri} else f", {photo.address}"


def _fetched(found: Fetched) -> Iterator[str]:
    """Yield when a photo came, and when it was asked for since."""
    etag = f"ETag {found.etag}" if found.etag else f"Last-Modified {found.modified}" if found.modified else ""
    came = ", ".join(filter(None, (found.came_at, "it came", etag)))
    unit = f"unit {found.unit_id}"
    if found.has_come:
        yield _line("  fetched", f"{came}, {unit}")
        return
    if found.came_at:
        yield _line("  fetched", came)
    yield _line("  asked", f"{found.at}, {answer(found)}, {unit}")


def _vector(vector: Vector) -> str:
    if vector.code:
        return f"none: {vector.code}"
    leaves = ", ".join(f"{value} {share:.3f}" for value, share in vector.leaves)
    says = f"; the model says {leaves}" if leaves else ""
    return f"model {vector.model_id}, unit {vector.unit_id}, row {vector.row}{says}"


def _query(query: QueryTrace) -> Iterator[str]:
    yield _line("query", query.photo)
    found = query.standing
    if found is None:
        yield _line("", query.detail)
        return
    rounds = f", after looking further {found.rounds} times" if found.rounds else ""
    scanned = "" if found.scanned < 0 else f"{found.scanned} compared, "
    yield _line("plan", f"{scanned}the nearest {found.depth} looked at, the best {found.fetch} ranked{rounds}")
    if query.categories is not None:
        yield _line("scanned", f"{len(query.categories)} categories: {', '.join(query.categories[:10])}")
        yield _line("", f"its own, {query.leaf}, has a probability of {found.probability:.4f}")
    for photo in found.photos:
        near = "" if photo.near is None else f", its code number {photo.near} of those scanned"
        bits = "" if photo.distance is None else f"{photo.distance} bits apart{near}, "
        yield _line("", f"{photo.image_uri}: {bits}similarity {photo.similarity:.4f}, number {photo.exact_rank} of all")
    parts = ", ".join(f"{name} {value:+.4f}" for name, value in found.parts.items())
    rank = f"rank {found.rank}" if found.is_ranked else f"not ranked: rank {found.rank} at best"
    yield _line("score", f"{found.score:.4f} ({parts}), {rank}")
    if found.last:
        yield _line("cut", f"{found.results} are shown, the last is {found.last} with {found.last_score:.4f}")
