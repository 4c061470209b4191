"""Alibaba's fusion (2018, arXiv 2102.04674): a photo's category by the model, by a vote of its neighbours, and by both.

    python -m benchmarks.bench_fusion --config FILE --run RUN

For a store whose model has learned from a part of the labelled photos (`train.max_images`), so that the neighbours, all
labelled items but those of the test split, know more than it does. Sharpness and number of voters, then how model and
vote are stacked, are fitted on the validation photos: log p = a log(model + e) + b log(vote + f) + c, with a c of its
own for leaves that were never learned, that have fewer than 20 labelled photos, and that have fewer than 200. Test
photos judge, each apart from its own item, that item's copies and its variants. The last result stays in
benchmarks/results/. Expected: 2.0 points above the better of model and vote, its paired lower bound above 1.0, and
leaves that the model never saw found by the vote.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

from benchmarks.checks import at_least, keep
from benchmarks.held_out import held_out
from pipelines.config import load_config
from pipelines.models.facts import read_facts
from pipelines.models.query_model import serve
from pipelines.neighbours.query.categories import fuse
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.query.voters import Voters
from pipelines.store import open_store

NEAR, SHARPNESS, VOTERS = 200, (5.0, 10.0, 20.0, 40.0), (10, 30, 60)
RARE, FEW = 20, 200
"""Labelled photos of a leaf."""
STRATA = ("never learned", "rare", "few", "many")
LINEAR = (0.2, 0.5)
"""Weights of the vote beside which the fusion stands: what a plan can say today."""
FLOOR = 0.05
"""What votes leave to slots that nobody votes for."""
SHRINKAGE, Z95 = 1e-3, 1.96

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """What is known of photos: the model's probabilities [n, slots], their true slots [n], and neighbours' slots.

    `scores` and `slots` [n, NEAR] are of the nearest photos, the nearest first, -1 for those without a vote.
    """

    model: Floats
    truth: Ints
    scores: Floats
    slots: Ints

    def votes(self, sharpness: float, voters: int) -> Floats:
        """Return the share of each slot in the votes of the nearest, [n, slots], zeros where nobody votes."""
        voting = (self.slots >= 0) & (np.cumsum(self.slots >= 0, axis=1) <= voters)
        weights = np.where(voting, np.exp(sharpness * (self.scores - self.scores.max(axis=1, keepdims=True))), 0.0)
        votes = np.zeros_like(self.model)
        np.add.at(votes, (np.arange(len(votes))[:, None], np.where(voting, self.slots, 0)), weights)
        total = votes.sum(axis=1, keepdims=True)
        return np.divide(votes, total, out=votes, where=total > 0)

    def likelihood(self, sharpness: float, voters: int) -> float:
        """Return the mean log of what the votes give the true slots."""
        votes = self.votes(sharpness, voters)[np.arange(len(self.truth)), self.truth]
        return float(np.log((1 - FLOOR) * votes + FLOOR / self.model.shape[1]).mean())


@dataclass(frozen=True)
class Shop:
    """What is asked of a store: validation and test photos, the stratum of each slot, and which slots have photos."""

    val: Asked
    test: Asked
    strata: Ints
    present: npt.NDArray[np.bool_]

    def logits(self, given: Floats, model: Floats, votes: Floats) -> Floats:
        """Return the fused logits [n, slots]; `given` are log a, log b, log e, log f, and the strata's offsets."""
        a, b, e, f = np.exp(given[:4])
        stacked = a * np.log(model + e) + b * np.log(votes + f) + np.append(given[4:], 0.0)[self.strata]
        return np.where(self.present, stacked, -1e9)

    def fitted(self, votes: Floats) -> Floats:
        """Return what makes the loss of the validation photos least."""
        model, truth, rows = self.val.model, self.val.truth, np.arange(len(self.val.truth))

        def loss(given: Floats) -> tuple[float, Floats]:
            logits = self.logits(given, model, votes)
            total = logsumexp(logits, axis=1)
            off = np.exp(logits - total[:, None])
            off[rows, truth] -= 1  # what the loss changes by with each logit
            a, b, e, f = np.exp(given[:4])
            slopes = (a * np.log(model + e), b * np.log(votes + f), a * e / (model + e), b * f / (votes + f))
            of_strata = np.array([off[:, self.strata == n].sum() for n in range(len(STRATA) - 1)])
            gradient = np.append([(off * slope).sum() for slope in slopes], of_strata) / len(rows)
            gradient[4:] += 2 * SHRINKAGE * given[4:]
            return float((total - logits[rows, truth]).mean() + SHRINKAGE * (given[4:] ** 2).sum()), gradient

        start = np.array([0.0, 0.0, np.log(1e-4), np.log(1e-3), 0.0, 0.0, 0.0])
        found: Floats = minimize(loss, start, jac=True, method="L-BFGS-B").x
        return found


def read(config_path: str, run_id: str) -> Shop:
    """Ask the model and the index of a run for all held-out photos."""
    config = load_config(config_path)
    store = open_store(config.store.uri)
    index = store.read_json(f"runs/{run_id}/index/manifest.json")["outputs"]
    facts = read_facts(store, index["model_id"])
    with store.stage_in(f"indexes/{index['index_id']}") as folder:
        searcher = Searcher.open(folder)
        rows, parts = searcher.rows, searcher.parts
        width = 1 + int(rows.link_slot.max())
        voters = Voters(rows, parts.live_links)
        asked = {}
        for split in ("val", "test"):
            queries = held_out(store, run_id, split)
            outputs = serve(store, facts, facts.prep_id, [query.place for query in queries])
            items = np.array([rows.item(query.item_id) for query in queries])
            own = np.array([rows.links_of_item(int(item))[0] for item in items])
            apart = [
                Exclusion(items=np.array([item]), groups=rows.link_group[link : link + 1])
                for item, link in zip(items, own, strict=True)
            ]
            near = parts.exact.search(outputs.embeddings, NEAR)
            assert outputs.probabilities is not None
            model = np.zeros((len(queries), width))
            known = min(width, outputs.probabilities.shape[1])
            model[:, :known] = outputs.probabilities[:, :known]
            slots = voters.slots(near, apart, max(VOTERS))
            asked[split] = Asked(model, rows.link_slot[own].astype(np.int64), near.scores.astype(np.float64), slots)
        labelled = np.bincount(rows.link_slot[rows.votes & (rows.link_slot >= 0)], minlength=width)
    trained = np.isin(np.arange(width), facts.leaf.trained)
    strata = np.where(~trained, 0, np.where(labelled < RARE, 1, np.where(labelled < FEW, 2, 3)))
    return Shop(asked["val"], asked["test"], strata, labelled > 0)


def measure(shop: Shop) -> dict[str, Any]:
    """Fit on the validation photos, and judge by the test photos."""
    best = max(((s, v) for s in SHARPNESS for v in VOTERS), key=lambda key: shop.val.likelihood(*key))
    given, test = shop.fitted(shop.val.votes(*best)), shop.test
    votes = test.votes(*best)
    right = {
        "model": test.model.argmax(axis=1) == test.truth,
        "vote": votes.argmax(axis=1) == test.truth,
        "fused": shop.logits(given, test.model, votes).argmax(axis=1) == test.truth,
    } | {
        f"linear {weight}": fuse(test.model.astype(np.float32), votes.astype(np.float32), weight).argmax(axis=1)
        == test.truth
        for weight in LINEAR
    }
    better = max("model", "vote", key=lambda name: right[name].mean())
    gains = right["fused"].astype(float) - right[better]
    error = float(gains.std() / np.sqrt(len(gains)))
    of = shop.strata[test.truth]
    return {
        "photos": {"validation": len(shop.val.truth), "test": len(test.truth)},
        "fitted": {
            "sharpness": best[0], "voters": best[1], "model": float(np.exp(given[0])), "vote": float(np.exp(given[1])),
            "offsets": dict(zip(STRATA, [*map(float, given[4:]), 0.0], strict=True)),
        },
        "top1": {name: round(float(values.mean()), 4) for name, values in right.items()},
        "better_alone": better,
        "gain": round(float(gains.mean()), 4),
        "gain_lower": round(float(gains.mean()) - Z95 * error, 4),
        "by_leaf": {
            name: {"photos": int((of == n).sum())}
            | {way: round(float(values[of == n].mean()), 4) for way, values in right.items() if (of == n).any()}
            for n, name in enumerate(STRATA)
        },
    }  # fmt: skip


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--run", required=True, help="whose model and index are asked")
    given = parser.parse_args()
    found = measure(read(given.config, given.run))
    unseen = found["by_leaf"][STRATA[0]]
    checks = [
        at_least("top-1 above the better of model and vote", found["gain"], 0.02),
        at_least("its paired lower bound", found["gain_lower"], 0.01),
        at_least("of photos of leaves that were never learned, share right", unseen.get("fused"), 0.01),
    ]
    keep("fusion", found | {"checks": checks})


if __name__ == "__main__":
    main()
