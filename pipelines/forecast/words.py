"""The plan of a run in words."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.forecast.run import RunPlan

NOT_YET = (
    "no run of this store has told yet; `visual-search check` asks a sample of the hosts, and `visual-search run "
    "--limit 1000` makes one in a store of its own"
)


def lines(plan: RunPlan) -> Iterator[str]:
    """Say what a run would do and take."""
    if plan.refused:
        yield f"this run would be refused: {plan.refused}"
    yield f"catalogue: {plan.items:,} items ({plan.added:,} new, {plan.removed:,} gone), {plan.photos:,} photos"
    asked = plan.asked
    yield (
        f"photos to fetch: {asked.fetched:,} by address, {asked.files:,} files; {asked.rechecked:,} addresses to ask "
        f"whether they changed; {asked.originals:,} of kept originals"
    )
    yield f"{_images(plan)}{_unless_changed(plan)}"
    yield from plan.notes
    yield f"training: {plan.trains or 'none, the live model is kept'}"
    hours = "; ".join(
        f"{stage} {'?' if one is None else _time(one)}" for stage, one in plan.seconds.items() if one is None or one
    )
    least = "at least " if None in plan.seconds.values() else ""
    total = NOT_YET if plan.hours is None else f"{least}{_time(3600 * plan.hours)}"
    yield f"time: {total} ({hours})"
    yield f"bytes to fetch: {_size(plan.fetched_bytes)}; to keep: {_size(plan.kept_bytes)}"
    if plan.peak_bytes:
        stage, peak = max(plan.peak_bytes.items(), key=lambda one: one[1])
        yield f"memory: {_size(peak)} at most in earlier runs ({stage})"
    price = plan.money
    if not price.amounts:
        return
    unknown = f"; without {', '.join(f'prices.{name}' for name in price.unknown)}" if price.unknown else ""
    yield f"money: {price.total:,.2f} {price.currency}{unknown}"


def _images(plan: RunPlan) -> str:
    most, likely = plan.todo, plan.likely
    if not plan.asked.fetched:
        return f"images to prepare: {most.prepare:,}; to infer: {most.infer:,}"
    text = f"images to prepare: {most.prepare:,} at most; to infer: {most.infer:,} at most"
    if likely == most:
        return text
    return f"{text}; {likely.prepare:,} and {likely.infer:,} if as many new addresses show known photos as last time"


def _unless_changed(plan: RunPlan) -> str:
    """Say that photos which are only asked about may have changed, and how many had when that was last asked."""
    if not plan.asked.rechecked:
        return ""
    last = (
        f"; when that was last asked, at least {plan.changed[0]:,} of {plan.changed[1]:,} had" if plan.changed else ""
    )
    return f", as far as the {plan.asked.rechecked:,} that are asked whether they changed have not{last}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(size: int | None) -> str:
    if size is None:
        return "not known yet"
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
