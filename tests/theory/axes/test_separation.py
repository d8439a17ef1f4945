"""Separation by correlation in time: exact where factors differ in it, blind to variance, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import orthogonal
from theory.axes import TemporalModel, distance_to_orthogonality, separate, separate_series, two_factor_manipulation
from theory.learning import optimum
from theory.scores import GaussianCode, mean_correlation

MEMORY = np.array([0.3, 0.9, -0.5])


def model(seed=0, data_dim=5, memory=MEMORY, noise=0.3):
    rng = np.random.default_rng(seed)
    return TemporalModel(rng.standard_normal((data_dim, len(memory))), memory, noise)


def distance_to_signed_permutation(matrix):
    """Zero iff each row and each column has one entry, of size 1."""
    sizes = np.sort(np.abs(matrix), axis=1)
    return max(
        np.abs(sizes[:, :-1]).max(initial=0),
        np.abs(sizes[:, -1] - 1).max(),
        np.abs(matrix.T @ matrix - np.eye(len(matrix))).max(),
    )


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    data_dim=st.integers(3, 6),
    lag=st.integers(1, 3),
    noise=st.just(0.0) | st.floats(1e-100, 3),
)
def test_exact_for_any_loading(seed, data_dim, lag, noise):
    truth = model(seed, data_dim, noise=noise)
    found = separate(truth.covariance, truth.lagged_covariance(lag), 3, noise_variance=noise)
    condition = np.linalg.cond(truth.loading) ** 2 * (1 + noise)
    assert distance_to_signed_permutation(found.demixing @ truth.loading) < 1e-12 * condition**2
    np.testing.assert_allclose(found.lag_correlations, np.sort(MEMORY**lag)[::-1], atol=1e-12 * condition**2)
    np.testing.assert_allclose(found.demixing @ found.loading, np.eye(3), atol=1e-12 * condition**2)
    np.testing.assert_allclose(found.loading @ found.loading.T, truth.loading @ truth.loading.T, atol=1e-10)
    assert found.rank == 3
    assert found.separable.all()


def test_the_noise_is_learned_where_dimensions_are_left_over():
    truth = model()
    found = separate(truth.covariance, truth.lagged_covariance(), 3)
    assert found.noise_variance == pytest.approx(0.3, abs=1e-12)
    assert distance_to_signed_permutation(found.demixing @ truth.loading) < 1e-10


def test_noise_must_go_before_whitening():
    truth = model()
    careless = separate(truth.covariance, truth.lagged_covariance(), 3, noise_variance=0.0)
    assert distance_to_signed_permutation(careless.demixing @ truth.loading) > 0.02


def test_ties_leave_a_space():
    truth = model(memory=np.array([0.4, 0.9, 0.4]))
    found = separate(truth.covariance, truth.lagged_covariance(), 3)
    np.testing.assert_array_equal(found.tied, [False, True, True])
    demixed = np.abs(found.demixing @ truth.loading)
    np.testing.assert_allclose(demixed[0], [0, 1, 0], atol=1e-10)
    np.testing.assert_allclose(demixed[:, 1], [1, 0, 0], atol=1e-10)
    assert separate(truth.covariance, truth.lagged_covariance(2), 3).tied.tolist() == [False, True, True]
    # A sign is determined at an odd lag only.
    opposite = model(memory=np.array([0.4, 0.9, -0.4]))
    assert not separate(opposite.covariance, opposite.lagged_covariance(1), 3).tied.any()
    assert separate(opposite.covariance, opposite.lagged_covariance(2), 3).tied.any()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weak", [1.1e-4, 3e-4, 1e-3])
def test_exact_ties_of_weak_factors(weak, seed):
    # A factor of this share of the largest variance has a lag correlation with an error of up to 1e-16 / weak^2.
    basis = orthogonal(4, np.random.default_rng(seed))[:, :3]
    truth = TemporalModel(basis * [1.0, weak, 1.05 * weak], [0.9, 0.4, 0.4], 0.0)
    found = separate(truth.covariance, truth.lagged_covariance(), 3, noise_variance=0.0)
    np.testing.assert_array_equal(found.tied, [False, True, True])
    apart = TemporalModel(truth.loading, [0.9, 0.4, 0.399], 0.0)
    assert not separate(apart.covariance, apart.lagged_covariance(), 3, noise_variance=0.0).tied.any()


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
def test_a_lag_of_any_whole_type(kind):
    truth = model()
    _, data = truth.sample(300, 5)
    np.testing.assert_array_equal(
        separate_series(data, 3, lag=kind(2)).demixing, separate_series(data, 3, lag=2).demixing
    )
    np.testing.assert_array_equal(truth.lagged_covariance(kind(2)), truth.lagged_covariance(2))


def test_a_series_far_from_zero_has_the_same_factors():
    _, data = model().sample(2000, 6)
    near, far = separate_series(data, 3), separate_series(data + 1e6, 3)
    np.testing.assert_allclose(far.lag_correlations, near.lag_correlations, atol=1e-8)  # data are rounded to 1e-10


def test_without_correlation_in_time_nothing_is_told():
    truth = model(memory=np.zeros(3))
    found = separate(truth.covariance, truth.lagged_covariance(), 3)
    assert found.tied.all()
    assert not found.separable.any()


def test_too_low_a_rank_is_a_result():
    loading = np.random.default_rng(1).standard_normal((5, 2)) @ np.random.default_rng(2).standard_normal((2, 3))
    truth = TemporalModel(loading, MEMORY, 0.3)
    found = separate(truth.covariance, truth.lagged_covariance(), 3, noise_variance=0.3)
    assert (found.rank, found.demixing.shape, found.tied.shape) == (2, (2, 5), (2,))
    assert np.sort(np.abs(found.demixing @ truth.loading), axis=1)[:, -2].max() > 0.1  # mixtures
    silent = TemporalModel(np.zeros((3, 2)), [0.1, 0.2], 0.5)
    assert separate(silent.covariance, silent.lagged_covariance(), 2).rank == 0
    assert separate(np.zeros((3, 3)), np.zeros((3, 3)), 2).rank == 0
    assert separate(truth.covariance, truth.lagged_covariance(), 0).rank == 0


def test_a_time_series_gives_the_factors_back():
    truth = model()
    errors = []
    for n in (2_000, 200_000):
        factors, data = truth.sample(n, np.random.default_rng(4))
        found = separate_series(data + 7.0, 3)
        errors.append(distance_to_signed_permutation(found.demixing @ truth.loading))
    assert errors[1] < 0.05
    assert errors[1] < errors[0] / 3  # ten times at 1/sqrt(n), on average
    recovered = np.abs(np.corrcoef(factors.T, (data @ found.demixing.T).T)[:3, 3:])
    noise_share = np.diagonal(found.demixing @ found.demixing.T) * 0.3  # lets noise through, as any linear map must
    np.testing.assert_allclose(np.sort(recovered.max(axis=0)), np.sort(1 / np.sqrt(1 + noise_share)), atol=0.02)


def test_the_direction_of_time_does_not_matter():
    _, data = model().sample(500, np.random.default_rng(6))
    forward, backward = separate_series(data, 3), separate_series(data[::-1], 3)
    np.testing.assert_allclose(forward.demixing, backward.demixing, atol=1e-10)
    np.testing.assert_allclose(forward.lag_correlations, backward.lag_correlations, atol=1e-12)


def test_blind_to_what_misleads_a_vae():
    # A small change of the loading turns the principal axes; the VAE follows them, separation by time does not.
    straight = orthogonal(4, np.random.default_rng(5))[:, :2] * [1.2, 1.0]
    rotated = two_factor_manipulation(straight, np.pi / 4, gap=0.1).loading
    assert np.linalg.norm(rotated - straight) < 0.2
    scores = {}
    for name, loading in {"straight": straight, "rotated": rotated}.items():
        truth = TemporalModel(loading, [0.8, 0.2], 0.05)
        vae = optimum(truth.covariance, 2, noise_variance=0.05).vae
        found = separate(truth.covariance, truth.lagged_covariance(), 2)
        code = found.demixing @ truth.covariance @ found.demixing.T
        separated = GaussianCode(np.eye(2), code, loading.T @ found.demixing.T)
        scores[name] = mean_correlation(GaussianCode.of(truth.at_one_time, vae)), mean_correlation(separated)
        assert distance_to_signed_permutation(found.demixing @ loading) < 1e-10
        assert distance_to_orthogonality(vae.decoder).distance < 1e-7
    assert scores["straight"][0] > 0.95
    assert scores["rotated"][0] < 0.75
    assert scores["rotated"][1] == pytest.approx(scores["straight"][1], abs=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: separate(np.eye(2), np.eye(2), 3, noise_variance="none"), "noise_variance must be numeric"),
        (lambda: separate(np.eye(2), np.eye(2), 2), "noise_variance must be given"),
        (lambda: separate(np.eye(2), np.eye(2), 3), "latent_dim must be at most the 2 data dimensions"),
        (lambda: separate(np.eye(2), np.eye(3), 1), "lagged_covariance must be 2 x 2"),
        (lambda: separate_series(np.ones((3, 2)), 1, lag=0), "lag must be >= 1, got 0; pass a positive whole number"),
        (lambda: separate_series(np.ones((3, 2)), 1, lag=3), "lag must be below the 3 observations"),
        (lambda: separate_series(np.ones((3, 2)), 1, lag=-1), "lag must be >= 1, got -1; pass a positive whole number"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
