"""The releases that a new one is judged beside: the live one, and the last ones that were live before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from pipelines.evaluate.gates import Rival
from pipelines.evaluate.pairs import Difference, difference
from pipelines.evaluate.vocabulary import describe, is_documented
from pipelines.releases.history import read_history
from pipelines.releases.measures import Measures, read_measures
from pipelines.store import Store, parquet


def expanded(gates: Mapping[str, float], measured: Iterable[str]) -> dict[str, float]:
    """Return the bounds by concrete name: a gate on a family (`{attribute}`) holds for each of it that was measured.

    Names that mean nothing today, of a release of another version, belong to no family.
    """
    names = sorted(filter(is_documented, set(measured)))
    found: dict[str, float] = {}
    for name, bound in gates.items():
        family = describe(name)
        members = [other for other in names if describe(other) is family] if "{" in name else [name]
        found |= dict.fromkeys(members or [name], bound)
    return found


def rival_of(
    measures: Measures, ours: pa.Table, names: Iterable[str], asked_again: tuple[pa.Table, pa.Table] | None = None
) -> Rival:
    """Return a release to be judged beside, with the differences of the metrics named.

    `asked_again` are the scores of ours and of that release on the same queries today; what they lack is compared with
    the scores that the release kept.
    """
    differences: dict[str, Difference] = {}
    kept = None if measures.queries is None else parquet.decoded(measures.queries)
    for name in names:
        pair = difference(*asked_again, name) if asked_again is not None else None
        if pair is None and kept is not None:
            pair = difference(ours, kept, name)
        if pair is not None:
            differences[name] = pair
    return Rival(measures.release_id, measures.metrics, differences)


def anchors(store: Store, count: int) -> list[Measures]:
    """Return what was measured of the last `count` releases that were live, without the live one, newest first.

    Releases that took the numbers of an earlier one count once with it, and none that was live before a person accepted
    one that gates had refused.
    """
    found = (read_measures(store, release_id) for release_id in read_history(store).anchors(count))
    return [measures for measures in found if measures is not None]
