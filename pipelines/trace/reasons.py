"""Why a photo or an item falls out, as verdicts: the code, a sentence, and what to do about it. Reads nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pipelines.config import Config
from pipelines.hidden import HiddenItem
from pipelines.preprocess.fixes import fix_of
from pipelines.preprocess.meanings import PLACEHOLDER
from pipelines.preprocess.outcomes import LIMITS
from pipelines.runs.commands import REASON
from pipelines.shop_files.web.web import PASSING
from pipelines.trace.facts import CATALOGUE, EMBED, FOUND, INDEX, PREPROCESS, RELEASE, Vector, Verdict
from pipelines.trace.scope import Scope

NOT_DONE, RUNNING, REMOVED = OF_RUNS = ("not_done", "running", "removed")
"""Of runs that have not come so far, or whose tables are gone."""
ROLE: Final = "role_not_searched"
NOT_IN_INDEX: Final = "not_in_index"
NOT_LIVE: Final = "not_live"
HIDDEN: Final = "hidden"
WAS_HIDDEN: Final = "was_hidden"
ERASED: Final = "erased"
RUN: Final = "`visual-search run`"
EMBED_CODES: Mapping[str, str] = MappingProxyType(
    {
        "bad_image": "the prepared photo cannot be decoded",
        "inference_failed": "the model could not be run on it",
        "nonfinite": "the model's embedding of it is not finite",
        "no_vector": "it has no vector, though all units are done",
    }
)
"""Codes of photos that got no vector."""
_REPAIR: Final = "`visual-search backfill --repair` makes damaged units again"
_OF_EMBED: Mapping[str, str] = MappingProxyType(
    {"bad_image": _REPAIR, "no_vector": f"start a new run; {_REPAIR}"},
)
PASSED: Final = Verdict(INDEX, FOUND, "it is in the index")


def not_done(stage: str, scope: Scope) -> Verdict:
    """Return the verdict where a run has not come as far as a stage."""
    if scope.release and not scope.manifests:
        sentence = f"what run {scope.run_id!r} made of it is gone: `gc` has removed its tables"
        return Verdict(stage, REMOVED, sentence, f"trace the live release, or {RUN} again")
    if stage in scope.manifests:
        return Verdict(stage, REMOVED, f"what {stage} of run {scope.run_id!r} has left is gone from the store", RUN)
    state = scope.states.get(stage)
    if state == "running":
        return Verdict(stage, RUNNING, f"run {scope.run_id!r} is at {stage} now", "wait for it")
    again = f"`visual-search run --run-id {scope.run_id}` goes on where it stopped"
    if state or scope.manifests:
        what = "stopped in" if state else "ended before"
        return Verdict(stage, NOT_DONE, f"run {scope.run_id!r} {what} {stage}", again)
    return Verdict(stage, REMOVED, f"run {scope.run_id!r}, which read it, is gone: `gc` has removed it", RUN)


def rejected_photo(code: str, meaning: str, config: Config, *, is_far: bool) -> Verdict:
    """Return the verdict of a photo that preprocess has rejected; `is_far` of one behind an address."""
    return Verdict(PREPROCESS, code, f"{code}: {meaning}" if meaning else code, _mended(code, config, is_far=is_far))


def _mended(code: str, config: Config, *, is_far: bool) -> str:
    if code == PLACEHOLDER:
        return "give the item a photo of its own; if it is the photo of one product, raise preprocess.max_group_share"
    if code in PASSING:
        return f"{fix_of(code, is_far=True)}; the next run asks again: {RUN}"
    if code in LIMITS:
        return f"change {LIMITS[code]} = {getattr(config.preprocess, LIMITS[code].partition('.')[2])}, or the photo"
    fix = fix_of(code, is_far=is_far)
    if is_far:
        fix = fix or "mend the photo, or its address in the feed"
        return f"{fix}; this address is asked again after {config.fetch.recheck_hours:g} hours (fetch.recheck_hours)"
    return f"{fix or 'mend the photo, or its path in the feed'}, and {RUN}"


def other_role(role: str, roles: list[str]) -> Verdict:
    """Return the verdict of a photo whose role is not one of the gallery's."""
    return Verdict(
        INDEX,
        ROLE,
        f"its role is {role!r}, and searches look at {', '.join(map(repr, roles))} alone (index.roles)",
        f"add {role!r} to index.roles, or give the item a photo of another role",
    )


def without_vector(vector: Vector) -> Verdict:
    """Return the verdict of a photo that was rejected when it was to be embedded."""
    meaning = EMBED_CODES.get(vector.code, "it has no vector")
    fix = _OF_EMBED.get(vector.code, "replace the photo; where it happens to many, train again")
    return Verdict(EMBED, vector.code, f"{vector.code}: {meaning}", fix)


def not_in_index(index_id: str) -> Verdict:
    """Return the verdict of a photo that has all it needs and is not in the index."""
    return Verdict(INDEX, NOT_IN_INDEX, f"index {index_id} does not hold it", f"start a new run: {RUN}")


def hidden(why: HiddenItem, item_id: str) -> Verdict:
    """Return the verdict of an item that is hidden now, whatever an index holds."""
    sentence = f"it is hidden since {why.at}, by {why.by}: {why.reason}"
    return Verdict(RELEASE, HIDDEN, sentence, f"`visual-search unhide {shlex.quote(item_id)}` shows it again")


def erased(item_id: str) -> Verdict:
    """Return the verdict of an item that was erased: rows of feeds about it are rejected."""
    sentence = "it was erased from the store, and rows of feeds about it are rejected"
    return Verdict(CATALOGUE, ERASED, sentence, f"`visual-search erase --allow {shlex.quote(item_id)}`, and {RUN}")


def was_hidden(scope: Scope) -> Verdict:
    """Return the verdict of an item that was hidden when an index was built, and is so no longer."""
    sentence = f"it was hidden when index {scope.index_id} was built, and is not any more"
    return Verdict(INDEX, WAS_HIDDEN, sentence, f"the next run brings it back: {RUN}")


def in_index(scope: Scope, photos: int, of: int) -> Verdict:
    """Return the verdict of an item that so many of its photos are in the index of: found, or why it is not live."""
    of_photos = f"{photos} of its {of} photos {'is' if photos == 1 else 'are'}"
    if scope.release:
        name = scope.release.release_id
        what = f"the live release {name}" if scope.is_live else f"release {name}, which is not live"
        return Verdict(RELEASE, FOUND, f"found by searches: {of_photos} in the index of {what}")
    not_live = f"{of_photos} in the index of run {scope.run_id!r}, which is not live"
    return replace(verdict := _not_live(scope), sentence=f"{not_live}: {verdict.sentence}")


def _not_live(scope: Scope) -> Verdict:
    """Return why a run that has an index is not live."""
    for stage in ("evaluate", "promote"):
        if stage not in scope.manifests:
            return replace(not_done(stage, scope), step=RELEASE)
        if refusal := scope.manifests[stage]["refusal"]:
            accept = f"`visual-search promote --run-id {scope.run_id} {REASON}`"
            fix = f"look at its report; {accept} makes it live all the same"
            return Verdict(RELEASE, "gate_refused", f"{stage} refused: {refusal}", fix)
    fix = f"start a new run: {RUN}; or `visual-search rollback --to`"
    return Verdict(RELEASE, NOT_LIVE, "another release was made live since", fix)
