"""The frozen settings of every index kind and of a build, with the sizes that follow from the number of vectors.

Owns names, defaults and their checks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.models.weights import Weights
from trainer.config import CATEGORY_WEIGHT

KINDS = ("exact", "hnsw", "ivf_pca", "binary")
"""Every kind of index; `exact` needs no file of its own and is always there."""

POINTS_PER_DIMENSION = 8
"""A projection is learned only from at least this many vectors a dimension kept; fewer keep all dimensions."""

POINTS_PER_LIST = 39
"""The fewest training vectors a list that faiss' k-means accepts without a warning."""


def _positive(owner: str, **values: int | float) -> None:
    for name, value in values.items():
        if value <= 0:
            raise ValueError(f"{owner}.{name} is {value}: it must be positive")


@dataclass(frozen=True)
class HnswConfig:
    """Shape a graph over projected vectors of 8 bits a number.

    `dim` dimensions are kept (PCA); `links` neighbours a node (faiss' M; twice as many on the lowest level). `rerank`
    times k candidates are scored again on the stored vectors, so that what 8 bits lose is not seen. A build on one
    thread is reproducible; with `deterministic` off all threads add vectors, about as many times faster, and two builds
    differ.
    """

    dim: int = 128
    links: int = 16
    ef_construction: int = 100
    ef_search: int = 128
    rerank: int = 10
    train_rows: int = 65_536
    deterministic: bool = True

    def __post_init__(self) -> None:
        _positive("hnsw", dim=self.dim, links=self.links, ef_construction=self.ef_construction)
        _positive("hnsw", ef_search=self.ef_search, rerank=self.rerank, train_rows=self.train_rows)


@dataclass(frozen=True)
class IvfPcaConfig:
    """Shape an inverted file of 8-bit scalar-quantised, projected vectors.

    `lists` None: a power of two near 4 sqrt(n), with at least 39 training vectors a list. `probes` None: a 16th of
    the lists, at least 16. `rerank` times k candidates are scored again on the stored vectors.
    """

    dim: int = 128
    lists: int | None = None
    probes: int | None = None
    rerank: int = 10
    train_rows: int = 131_072

    def __post_init__(self) -> None:
        _positive("ivf_pca", dim=self.dim, rerank=self.rerank, train_rows=self.train_rows)
        _positive("ivf_pca", lists=1 if self.lists is None else self.lists)
        _positive("ivf_pca", probes=1 if self.probes is None else self.probes)

    def num_lists(self, num_vectors: int) -> int:
        """Return the number of lists for `num_vectors`, never more than there are vectors to train them."""
        if self.lists is not None:
            return min(self.lists, num_vectors)
        wanted = 1 << round(math.log2(4 * math.sqrt(num_vectors)))
        trainable = min(num_vectors, self.train_rows) // POINTS_PER_LIST
        return max(1, min(wanted, 1 << int(math.log2(max(1, trainable)))))

    def num_probes(self, lists: int) -> int:
        """Return how many of `lists` lists a query visits."""
        return min(lists, self.probes if self.probes is not None else max(16, lists // 16))


def kept_dim(num_vectors: int, dim: int, wanted: int, train_rows: int) -> int:
    """Return how many dimensions an index keeps: `wanted` after PCA, or `dim` where PCA would not help or not learn."""
    if wanted >= dim or min(num_vectors, train_rows) < POINTS_PER_DIMENSION * wanted:
        return dim
    return wanted


@dataclass(frozen=True)
class IndexConfig:
    """Say what one build makes.

    `kinds` are built beside the stored vectors. Each may need at most `memory_budget_bytes`. `attributes` and `signals`
    name the columns kept for re-ranking. `block_rows` vectors are in memory at a time. All draws follow `seed`.
    """

    kinds: Sequence[str] = ("ivf_pca",)
    hnsw: HnswConfig = field(default_factory=HnswConfig)
    ivf_pca: IvfPcaConfig = field(default_factory=IvfPcaConfig)
    memory_budget_bytes: int = 4 << 30
    attributes: Sequence[str] = ()
    signals: Sequence[str] = ()
    block_rows: int = 32_768
    seed: int = 0

    def __post_init__(self) -> None:
        _positive("index", memory_budget_bytes=self.memory_budget_bytes, block_rows=self.block_rows)
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"index.kinds holds {kind!r}: choose from {', '.join(KINDS)}")
        if len(set(self.kinds)) != len(self.kinds):
            raise ValueError(f"index.kinds is {list(self.kinds)}: name each kind once")


FOLDS = ("item", "group", "photo")


@dataclass(frozen=True)
class PlanConfig:
    """Say how a query is answered.

    `kind` finds candidates; the stored vectors score them again. A binary plan scans the best `top_categories`, more
    until their probabilities sum to `category_mass` (None: what the model was calibrated to), and keeps
    `depth_fraction` of the codes scanned, at least `depth_min` and at most `depth_max`. `vote_weight` of the
    categories' score comes from `vote_neighbours` found by `vote_kind`. `fold` leaves one result an item, a group of
    variants, or a photo of an item. `overfetch` times k rows are looked at first, and more until k live results are
    found. Weights re-rank the best `rerank_pool` rows: see `ranking.Ranker`. Those of category and attributes that are
    None are what the model learned of its validation photos, or what stands for that (`weighed`).
    """

    kind: str = "ivf_pca"
    fold: str = "item"
    overfetch: int = 2
    top_categories: int = 10
    category_mass: float | None = None
    depth_fraction: float = 0.01
    depth_min: int = 100
    depth_max: int = 5_000
    vote_weight: float = 0.0
    vote_neighbours: int = 30
    vote_kind: str = "ivf_pca"
    rerank_pool: int = 100
    category_weight: float | None = 0.0
    attribute_weights: Mapping[str, float] | None = field(default_factory=dict)
    signal_weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _positive("plan", overfetch=self.overfetch, top_categories=self.top_categories, depth_min=self.depth_min)
        _positive("plan", vote_neighbours=self.vote_neighbours, rerank_pool=self.rerank_pool)
        for name, value, choices in (
            ("kind", self.kind, KINDS),
            ("vote_kind", self.vote_kind, KINDS[:-1]),
            ("fold", self.fold, FOLDS),
        ):
            if value not in choices:
                raise ValueError(f"plan.{name} is {value!r}: choose from {', '.join(choices)}")
        for name in ("category_mass", "depth_fraction", "vote_weight"):
            if not 0 <= (getattr(self, name) or 0.0) <= 1:
                raise ValueError(f"plan.{name} is {getattr(self, name)}: it must lie between 0 and 1")
        if self.depth_max < self.depth_min:
            raise ValueError(f"plan.depth_max is {self.depth_max}, below depth_min {self.depth_min}: raise it")
        weights = {"category": self.category_weight or 0.0, **(self.attribute_weights or {}), **self.signal_weights}
        for name, weight in weights.items():
            if not math.isfinite(weight):
                raise ValueError(f"the plan's weight of {name!r} is {weight}: it must be a finite number")

    @property
    def reranks(self) -> bool:
        """Tell whether anything but similarity orders the results, once it is `weighed`."""
        attributes = (self.attribute_weights or {}).values()
        return any((*attributes, *self.signal_weights.values(), self.category_weight))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of index that the plan searches."""
        voting = self.vote_weight and self.vote_kind != self.kind
        return (self.kind, self.vote_kind) if voting else (self.kind,)


UNLEARNED = Weights(category=CATEGORY_WEIGHT)
"""What stands for the weights of a model that learned none."""


def weighed(plan: PlanConfig, learned: Weights | None) -> PlanConfig:
    """Return a plan without a weight that is None: what a model `learned` in its place, or what stands for that."""
    found = learned or UNLEARNED
    return replace(
        plan,
        category_weight=found.category if plan.category_weight is None else plan.category_weight,
        attribute_weights=found.attributes if plan.attribute_weights is None else plan.attribute_weights,
    )
