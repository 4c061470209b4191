import pytest

from pipelines.neighbours.settings import HnswConfig, IndexConfig, IvfPcaConfig, PlanConfig, kept_dim


@pytest.mark.parametrize(
    ("num_vectors", "lists"),
    [
        (100, 2),  # 100 // 39 = 2 trainable
        (10, 1),
        (44_072, 1024),  # 4 x sqrt = 840, nearest power of two; 44,072 // 39 = 1,130 trainable
        (1_000_000, 2048),  # 4,096 wanted, but 131,072 training vectors // 39 = 3,360
    ],
)
def test_lists_follow_the_number_of_vectors_that_can_train_them(num_vectors, lists):
    assert IvfPcaConfig().num_lists(num_vectors) == lists


def test_given_lists_are_kept_but_never_more_than_vectors():
    assert IvfPcaConfig(lists=300).num_lists(1_000) == 300
    assert IvfPcaConfig(lists=300).num_lists(100) == 100


def test_probes_are_a_16th_of_the_lists_but_at_least_16_where_there_are_as_many():
    assert [IvfPcaConfig().num_probes(lists) for lists in (2, 64, 1024)] == [2, 16, 64]
    assert IvfPcaConfig(probes=3).num_probes(64) == 3


def test_few_vectors_keep_all_dimensions():
    # 8 vectors a dimension are needed: 128 x 8 = 1,024.
    assert kept_dim(1_023, 512, 128, 10_000) == 512
    assert kept_dim(1_024, 512, 128, 10_000) == 128
    assert kept_dim(5_000, 512, 128, 1_000) == 512
    assert kept_dim(5_000, 64, 128, 10_000) == 64


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IndexConfig(kinds=("hsnw",)), "'hsnw': choose from exact, hnsw, ivf_pca, binary"),
        (lambda: IndexConfig(kinds=("hnsw", "hnsw")), "name each kind once"),
        (lambda: IndexConfig(memory_budget_bytes=0), "index.memory_budget_bytes is 0: it must be positive"),
        (lambda: HnswConfig(links=-1), "hnsw.links is -1"),
        (lambda: IvfPcaConfig(probes=0), "ivf_pca.probes is 0"),
        (lambda: PlanConfig(kind="faiss"), "plan.kind is 'faiss': choose from exact"),
        (lambda: PlanConfig(vote_kind="binary"), "plan.vote_kind is 'binary': choose from exact, hnsw, ivf_pca"),
        (lambda: PlanConfig(fold="shop"), "plan.fold is 'shop': choose from item, group, photo"),
        (lambda: PlanConfig(vote_weight=1.5), "plan.vote_weight is 1.5: it must lie between 0 and 1"),
        (lambda: PlanConfig(depth_min=9, depth_max=8), "plan.depth_max is 8, below depth_min 9"),
        (lambda: PlanConfig(signal_weights={"sales": float("nan")}), "weight of 'sales' is nan"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_plan_names_the_kinds_it_searches():
    assert PlanConfig(kind="hnsw").kinds == ("hnsw",)
    assert PlanConfig(kind="binary", vote_weight=0.5, vote_kind="hnsw").kinds == ("binary", "hnsw")
    assert PlanConfig(kind="binary").kinds == ("binary",)
    assert PlanConfig(kind="hnsw", vote_weight=0.5, vote_kind="hnsw").kinds == ("hnsw",)
