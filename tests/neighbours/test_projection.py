import numpy as np

from pipelines.neighbours.kinds.projection import Projection


def test_the_axes_of_most_variance_are_kept_and_centred():
    rng = np.random.default_rng(0)
    # Spread 3 along the second axis, 2 along the fourth, hardly any along the others, around (5, 0, 0, 1).
    vectors = (rng.normal(size=(4_000, 4)) * [0.01, 3, 0.01, 2] + [5, 0, 0, 1]).astype(np.float32)
    project = Projection.learned(vectors, wanted=2, train_rows=10_000, seed=0)
    projected = project(vectors)
    assert projected.shape == (4_000, 2)
    assert np.allclose(np.abs(projected.mean(axis=0)), 0, atol=1e-3)
    assert np.allclose(projected.std(axis=0), [3, 2], rtol=0.05)


def test_distances_between_projected_vectors_are_nearly_kept(medium):
    vectors = medium.vectors.astype(np.float16)
    project = Projection.learned(vectors, wanted=128, train_rows=2_000, seed=0)
    before = np.linalg.norm(medium.vectors[:50] - medium.vectors[50:100], axis=1)
    after = np.linalg.norm(project(vectors[:50]) - project(vectors[50:100]), axis=1)
    assert (after <= before + 1e-3).all() and (after >= 0.93 * before).all()


def test_a_query_is_projected_like_a_stored_vector_and_alike_in_every_batch(medium):
    project = Projection.learned(medium.vectors, wanted=128, train_rows=2_000, seed=0)
    queries = medium.queries(20)
    together = project.queries(queries)
    assert np.allclose(together, project(queries), atol=1e-5)
    assert (project.queries(queries[7:8])[0] == together[7]).all()  # to the last bit


def test_a_saved_projection_projects_alike(medium, tmp_path):
    project = Projection.learned(medium.vectors, wanted=16, train_rows=1_000, seed=0)
    project.save(tmp_path)
    assert (Projection.load(tmp_path)(medium.vectors[:5]) == project(medium.vectors[:5])).all()


def test_too_few_vectors_are_left_as_they_are(small, tmp_path):
    project = Projection.learned(small.vectors, wanted=128, train_rows=10_000, seed=0)
    assert (project(small.vectors) == small.vectors).all() and (project.queries(small.vectors) == small.vectors).all()
    project.save(tmp_path)
    assert list(tmp_path.iterdir()) == []
