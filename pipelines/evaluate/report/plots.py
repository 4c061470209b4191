"""The report's charts as SVG data URIs.

Owns how numbers are drawn. Pure; uses matplotlib without its global state.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence

from pipelines.evaluate.quality import MIN_QUERIES_A_LEAF
from transforms.thumbnail import data_uri

Metrics = Mapping[str, float]

COLOURS = {
    "plan": "#b5482a",
    "exact": "#1f2a37",
    "hnsw": "#2563a8",
    "ivf_pca": "#2f8f6b",
    "binary": "#8a5fb0",
    "hamming": "#8a5fb0",
}
NAMES = {
    "plan": "query plan",
    "exact": "exact search",
    "hnsw": "HNSW",
    "ivf_pca": "IVF + PCA",
    "binary": "binary",
    "hamming": "hash alone",
}
INK, QUIET, GRID = "#1f2a37", "#6b7280", "#e5e7eb"
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Inter", "Segoe UI", "Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 9.5,
    "svg.fonttype": "none",  # text stays text, in whatever script: the reader's browser has the letters
    "text.parse_math": False,  # "$5 to $10" is a name
    "svg.hashsalt": "visual-search",
    "axes.edgecolor": GRID,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
}
MAX_BARS = 24
MOST_TICKS = 5
"""Of an axis with numbers of many digits."""


def recall_against_speed(metrics: Metrics) -> str | None:
    """Draw recall@10 over queries a second, one point a kind."""
    kinds = [
        kind
        for kind in ("exact", "hnsw", "ivf_pca", "binary", "plan")
        if f"qps.{kind}" in metrics and f"recall.{kind}_at_10" in metrics
    ]
    if not kinds:
        return None
    figure, axes = _figure(5.4, 3.0)
    lowest = min(metrics[f"recall.{kind}_at_10_lower"] for kind in kinds)
    for kind in kinds:
        speed, value, lower = (
            metrics[f"qps.{kind}"],
            metrics[f"recall.{kind}_at_10"],
            metrics[f"recall.{kind}_at_10_lower"],
        )
        axes.plot([speed, speed], [lower, value], color=COLOURS[kind], linewidth=1.5, alpha=0.45)
        axes.plot(speed, value, "o", color=COLOURS[kind], markersize=8, label=NAMES[kind], clip_on=False, zorder=3)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_ylim(min(0.95, lowest - 0.01), 1.0)
    _plain_numbers(axes)
    axes.set_xlabel("queries a second (log scale)")
    axes.set_ylabel("recall@10, whisker to the 95 % bound")
    axes.grid(True)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _svg(figure)


def retrieval_by_level(metrics: Metrics) -> str | None:
    """Draw precision at 10 by level of the taxonomy, and of leaf and attribute."""
    rows = [(name, f"retrieval.p_at_10_{name}") for name in ("l1", "l2", "l3", "l4", "l5", "leaf")]
    attribute = r"retrieval\.leaf_(?!baseline_)[^.]+_p_at_10"
    rows += [(_attribute(name), name) for name in sorted(metrics) if re.fullmatch(attribute, name)]
    rows = [(label, name) for label, name in rows if name in metrics]
    deepest = [name for label, name in rows if label.startswith("l") and label[1:].isdigit()]
    if deepest and metrics[deepest[-1]] == metrics.get("retrieval.p_at_10_leaf"):
        rows = [(label, name) for label, name in rows if name != deepest[-1]]
    if not rows:
        return None
    figure, axes = _figure(5.4, 0.55 + 0.38 * len(rows))
    for place, (_, name) in enumerate(reversed(rows)):
        axes.barh(place, metrics[name], height=0.62, color=COLOURS["hnsw"])
        axes.text(metrics[name] + 0.012, place, f"{metrics[name]:.3f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [label for label, _ in reversed(rows)])
    axes.set_xlim(0, 1.1)
    axes.set_xlabel("share of the first 10 results")
    axes.grid(True, axis="x")
    return _svg(figure)


def large_leaves(leaves: Sequence[tuple[str, float, int]]) -> list[tuple[str, float, int]]:
    """Return the categories, (name, precision, queries), that had queries enough to be told from one another."""
    return [leaf for leaf in leaves if leaf[2] >= MIN_QUERIES_A_LEAF]


def by_category(leaves: Sequence[tuple[str, float, int]]) -> str | None:
    """Draw the categories of lowest precision; `leaves` are (name, precision, queries).

    Those of few queries are left out, if any have more.
    """
    worst = sorted(large_leaves(leaves) or leaves, key=lambda leaf: (leaf[1], leaf[0]))[:MAX_BARS]
    if not worst:
        return None
    figure, axes = _figure(9.6, 0.8 + 0.24 * len(worst))
    for place, (_, value, count) in enumerate(reversed(worst)):
        axes.barh(place, value, height=0.66, color=COLOURS["plan"] if value < 0.5 else COLOURS["hnsw"])
        axes.text(value + 0.008, place, f"{value:.2f}  ({count})", va="center", fontsize=8, color=QUIET)
    axes.set_yticks(range(len(worst)), [_short(name) for name, _, _ in reversed(worst)], fontsize=8.5)
    axes.set_xlim(0, 1.1)
    axes.set_ylim(-0.7, len(worst) - 0.3)
    axes.set_xlabel("P@10 (queries)")
    axes.grid(True, axis="x")
    return _svg(figure)


def precision_spread(leaves: Sequence[tuple[str, float, int]]) -> str | None:
    """Draw how many categories have which precision."""
    if not leaves:
        return None
    figure, axes = _figure(5.4, 2.4)
    axes.hist(
        [value for _, value, _ in leaves], bins=[n / 20 for n in range(21)], color=COLOURS["hnsw"], edgecolor="white"
    )
    axes.set_xlabel("P@10 of a leaf category")
    axes.set_ylabel("categories")
    axes.grid(True, axis="y")
    return _svg(figure)


def learning_curves(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str | None:
    """Draw the model's curves: what is a loss on the left, all else on the right."""
    losses = [name for name in sorted(curves) if "loss" in name]
    others = [name for name in sorted(curves) if not re.search("loss|rate|second|images|height", name)]
    panels = [names for names in (losses, others) if names]
    if not panels:
        return None
    figure, axes = _figure(9.6, 2.9, columns=len(panels))
    for panel, names in zip(axes if len(panels) > 1 else [axes], panels, strict=True):
        for name in names:
            steps, values = zip(*curves[name], strict=True)
            panel.plot(steps, values, linewidth=1.6, label=name.replace("_", " "))
        panel.set_xlabel("step")
        panel.grid(True)
        panel.legend(fontsize=8)
    return _svg(figure)


def _figure(width: float, height: float, columns: int = 1):  # type: ignore[no-untyped-def]
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def _plain_numbers(axes) -> None:  # type: ignore[no-untyped-def]
    """Label a logarithmic axis at a few places that do not touch, however narrow or wide it is."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.xaxis.set_major_locator(FixedLocator(ticks_between(*axes.get_xlim())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}" if value < 1 else f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())


def ticks_between(low: float, high: float) -> list[float]:
    """Return two to five round numbers between two positive ones, apart from each other on a logarithmic axis."""
    from matplotlib.ticker import MaxNLocator

    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    if high >= 10 * low:
        for digits in ((1,), (1, 3)):
            found = [ten for n in exponents for digit in digits if low <= (ten := digit * 10.0**n) <= high]
            if len(found) > 1:
                return found[:: math.ceil(len(found) / MOST_TICKS)]
    ticks = MaxNLocator(MOST_TICKS - 1, steps=[1, 2, 2.5, 5, 10], min_n_ticks=2).tick_values(low, high)
    return [float(tick) for tick in ticks if low <= tick <= high]


def _svg(figure) -> str:  # type: ignore[no-untyped-def]
    import matplotlib

    sink = io.BytesIO()
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)  # only a width is guessed
        figure.savefig(sink, format="svg", metadata={"Date": None})
    return data_uri(sink.getvalue(), "image/svg+xml")


def _attribute(name: str) -> str:
    return "leaf and " + name.removeprefix("retrieval.leaf_").removesuffix("_p_at_10")


def _short(name: str, length: int = 56) -> str:
    return name if len(name) <= length else "… " + name[-length:]
