"""The learned optimum: small cases by hand, limits, thresholds, what is unique and what is not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.differentiate import derivative

from tests.cases import AT_THRESHOLD, CASES, DISTINCT, ISOTROPIC, RANK_DEFICIENT, TIED, orthogonal
from theory.learning import optimum, optimum_curve
from theory.model import LinearVAE
from theory.moments import Moments
from theory.objective import elbo_terms

NOISES = pytest.mark.parametrize("learned", [False, True], ids=["fixed", "learned"])
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=str)


def solve(case, learned=False, **changes):
    given = {"beta": case.beta, "noise_variance": "learned" if learned else case.noise_variance} | changes
    return optimum(case.covariance, case.latent_dim, **given)


def solve_with(case, latent_dim, learned, **options):
    noise = "learned" if learned else case.noise_variance
    return optimum(case.covariance, latent_dim, beta=case.beta, noise_variance=noise, **options)


def rotated_vae(vae, rotation, diagonal):
    """The VAE with rotated latents; its posterior covariance is made diagonal, optimally for the decoder, if asked."""
    covariance = rotation @ vae.posterior_covariance @ rotation.T
    if diagonal:
        covariance = np.diag(1 / np.diagonal(np.linalg.inv(covariance)))
    return LinearVAE(vae.decoder @ rotation.T, rotation @ vae.encoder, covariance, vae.noise_variance)


def test_two_modes_and_one_latent_by_hand():
    best = optimum(np.diag([1.0, 4.0]), 1, beta=2.0, noise_variance=1.0)
    np.testing.assert_allclose(best.vae.decoder, [[0], [np.sqrt(2)]], atol=1e-15)
    np.testing.assert_allclose(best.vae.encoder, [[0, np.sqrt(2) / 4]], atol=1e-15)
    np.testing.assert_allclose(best.vae.posterior_covariance, [[0.5]])
    assert best.distortion == pytest.approx(3)
    assert best.rate == pytest.approx(np.log(2) / 2)
    assert best.loss == pytest.approx(3 / 2 + np.log(2 * np.pi) + np.log(2))
    np.testing.assert_allclose(best.critical_betas, [4])
    assert best.noise_status == "fixed"


def test_learned_noise_by_hand():
    # One latent on (4, 1, 1), beta = 1.5: s2 = 2 / (3 - 1.5), and the latent collapses at 3 * 4 / 6.
    best = optimum(np.diag([4.0, 1.0, 1.0]), 1, beta=1.5)
    assert best.noise_variance == pytest.approx(4 / 3)
    assert best.distortion == pytest.approx(2 + 2)
    assert best.rate == pytest.approx(np.log(2) / 2)
    np.testing.assert_allclose(best.critical_betas, [2])
    assert best.noise_status == "learned"


@NOISES
@EVERY_CASE
def test_reported_parts_are_those_of_the_vae_and_the_aggregate_posterior_is_the_prior(case, learned):
    best = solve(case, learned)
    terms = elbo_terms(best.vae, case.covariance)
    assert best.distortion == pytest.approx(terms.distortion, abs=1e-10)
    assert best.rate == pytest.approx(terms.rate, abs=1e-10)
    assert best.rate == pytest.approx(terms.mutual_information, abs=1e-10)
    assert best.loss == pytest.approx(terms.loss(case.beta), abs=1e-10)
    assert terms.total_correlation == pytest.approx(0, abs=1e-10)
    assert terms.dimension_wise_kl == pytest.approx(0, abs=1e-10)
    aggregate = best.vae.encoder @ case.covariance @ best.vae.encoder.T + best.vae.posterior_covariance
    np.testing.assert_allclose(aggregate, np.eye(case.latent_dim), atol=1e-10)
    np.testing.assert_allclose(best.eigenvalues, case.eigenvalues, rtol=1e-10, atol=1e-13)
    np.testing.assert_array_equal(best.active, case.beta < best.critical_betas)
    assert best.active_count == np.count_nonzero(np.linalg.norm(best.vae.decoder, axis=0))


@pytest.mark.parametrize("posterior", ["full", [[0, 2], [1]]])
def test_the_same_solution_in_every_family(posterior):
    one, other = solve(DISTINCT), solve(DISTINCT, posterior=posterior)
    assert one.loss == other.loss
    np.testing.assert_array_equal(one.vae.posterior_covariance, other.vae.posterior_covariance)


@EVERY_CASE
def test_at_beta_one_the_loss_is_the_marginal_likelihood(case):
    best = solve(case, learned=True, beta=1.0)
    marginal = best.vae.decoder @ best.vae.decoder.T + best.noise_variance * np.eye(case.data_dim)
    entropy = np.linalg.slogdet(marginal)[1] + np.trace(np.linalg.solve(marginal, case.covariance))
    # The smallest eigenvalue of the marginal covariance has lost log10 of the condition number of its 16 digits.
    assert best.loss == pytest.approx((case.data_dim * np.log(2 * np.pi) + entropy) / 2, abs=1e-9)
    assert best.noise_variance == pytest.approx(np.mean(case.eigenvalues[case.latent_dim :]), rel=1e-10)


def test_limits_of_beta():
    beginning, end = solve(DISTINCT, beta=1e-12), solve(DISTINCT, beta=1e12)
    assert beginning.distortion == pytest.approx(0.6 + 0.3, abs=1e-10)
    assert end.distortion == pytest.approx(sum(DISTINCT.eigenvalues))
    assert end.rate == 0 and end.active_count == 0
    assert not end.vae.decoder.any() and not end.vae.encoder.any()
    np.testing.assert_array_equal(end.vae.posterior_covariance, np.eye(3))
    assert solve(DISTINCT, True, beta=1e-12).noise_variance == pytest.approx(0.9 / 5)
    assert solve(DISTINCT, True, beta=1e12).noise_variance == pytest.approx(8.6 / 5)


def test_no_latents_and_more_latents_than_dimensions():
    none = optimum(DISTINCT.covariance, 0, beta=1.5, noise_variance=0.4)
    assert none.rate == 0 and none.critical_betas.shape == (0,) and none.vae.decoder.shape == (5, 0)
    assert none.distortion == pytest.approx(8.6)
    enough = optimum(DISTINCT.covariance, 5, beta=1.5, noise_variance=0.4)
    many = optimum(DISTINCT.covariance, 8, beta=1.5, noise_variance=0.4)
    assert many.loss == enough.loss
    np.testing.assert_array_equal(many.critical_betas, [*enough.critical_betas, 0, 0, 0])
    np.testing.assert_array_equal(np.diagonal(many.vae.posterior_covariance)[5:], 1)
    assert many.vae.encoder.shape == (8, 5)


@pytest.mark.parametrize(("latent_dim", "rank_threshold"), [(3, 5 / 3), (5, 5 / 3), (8, 5 / 3)])
def test_with_a_latent_for_every_mode_the_noise_runs_to_zero_below_d_over_r(latent_dim, rank_threshold):
    covariance = RANK_DEFICIENT.covariance
    below, at, above = (
        optimum(covariance, latent_dim, beta=beta) for beta in (np.nextafter(rank_threshold, 0), rank_threshold, 1.7)
    )
    assert (below.noise_status, at.noise_status, above.noise_status) == ("zero", "undetermined", "learned")
    assert below.vae is None and below.noise_variance == 0 and below.distortion == 0
    assert below.loss == -np.inf and below.rate == np.inf and below.active_count == 3
    assert at.noise_variance == pytest.approx(0.5 / rank_threshold)
    assert at.active_count == 2 and at.rate == pytest.approx((np.log(6) + np.log(2)) / 2)
    losses = [
        optimum(covariance, latent_dim, beta=rank_threshold, noise_variance=at.noise_variance * part).loss
        for part in (1, 0.1, 1e-3, 1e-6)
    ]
    np.testing.assert_allclose(losses, at.loss, atol=1e-10)
    assert optimum(covariance, latent_dim, beta=rank_threshold, noise_variance=1.01 * at.noise_variance).loss > at.loss
    falling = [optimum(covariance, latent_dim, beta=1.2, noise_variance=10.0**-k).loss for k in (2, 4, 6, 8)]
    # The slope in log s2 is (D - r beta) / 2 once every mode is active.
    np.testing.assert_allclose(np.diff(falling), -(5 - 3 * 1.2) / 2 * np.log(100), atol=1e-10)


def test_data_without_variance():
    learned, fixed = optimum(np.zeros((3, 3)), 2), optimum(np.zeros((3, 3)), 2, noise_variance=0.5)
    assert learned.noise_status == "zero" and learned.vae is None and learned.loss == -np.inf and learned.rate == 0
    assert fixed.rate == fixed.distortion == 0 and fixed.active_count == 0
    np.testing.assert_array_equal(fixed.critical_betas, 0)


@NOISES
@EVERY_CASE
def test_each_latent_collapses_exactly_at_its_critical_beta(case, learned):
    noise = "learned" if learned else case.noise_variance
    distinct = sorted(set(solve(case, learned).critical_betas))
    curve = optimum_curve(case.covariance, case.latent_dim, distinct, noise_variance=noise)
    expected = [np.count_nonzero(curve.critical_betas > beta) for beta in distinct]
    np.testing.assert_array_equal(curve.active_count, expected)
    before = optimum_curve(case.covariance, case.latent_dim, np.nextafter(distinct, 0), noise_variance=noise)
    np.testing.assert_array_less(expected, before.active_count)


def test_at_the_threshold_the_latent_is_off_and_nothing_jumps():
    for learned in (False, True):
        best = solve(AT_THRESHOLD, learned)
        assert best.noise_variance == pytest.approx(0.8, rel=1e-12)
        assert best.critical_betas[1] == pytest.approx(1.25, rel=1e-12)
        assert best.distortion == pytest.approx(1 + 2.2)
        assert best.rate == pytest.approx(np.log(3) / 2)


@NOISES
@EVERY_CASE
def test_curve_agrees_with_the_optimum_and_is_continuous_and_monotone(case, learned):
    noise = "learned" if learned else case.noise_variance
    critical = solve(case, learned).critical_betas
    betas = np.unique(np.concatenate([np.geomspace(0.05, 20, 60), critical, critical * (1 - 1e-9), critical + 1e-9]))
    curve = optimum_curve(case.covariance, case.latent_dim, betas, noise_variance=noise)
    for index in range(0, len(betas), 7):
        one = solve(case, learned, beta=betas[index])
        assert (one.active_count, one.noise_status) == (curve.active_count[index], curve.noise_status[index])
        found = [curve.distortion[index], curve.rate[index], curve.loss[index], curve.noise_variance[index]]
        np.testing.assert_array_equal(found, [one.distortion, one.rate, one.loss, one.noise_variance])
    rounding = 1e-12 * max(case.eigenvalues)
    assert (np.diff(curve.noise_variance) >= -rounding).all()
    assert (np.diff(curve.distortion) >= -rounding).all()
    assert (np.diff(curve.rate) <= 1e-12).all()
    assert (np.diff(curve.loss) >= -rounding).all()
    assert (np.diff(curve.active_count) <= 0).all()
    close = np.diff(betas) < 1e-8
    for values in (curve.noise_variance, curve.distortion, curve.rate, curve.loss):
        assert np.abs(np.diff(values)[close]).max() < 1e-6 * max(case.eigenvalues)


@NOISES
def test_the_slope_of_the_loss_in_beta_is_the_rate(learned):
    noise = "learned" if learned else DISTINCT.noise_variance
    betas = np.array([0.3, 0.9, 1.3])  # away from thresholds, where the rate has a kink

    def loss(beta):
        curve = optimum_curve(DISTINCT.covariance, DISTINCT.latent_dim, beta.ravel(), noise_variance=noise)
        return curve.loss.reshape(beta.shape)

    slope = derivative(loss, betas, initial_step=0.02)
    rates = optimum_curve(DISTINCT.covariance, DISTINCT.latent_dim, betas, noise_variance=noise).rate
    np.testing.assert_allclose(slope.df, rates, rtol=1e-9)  # what finite differences reach


def test_signed_permutations_are_optimal_and_other_rotations_only_with_a_full_posterior():
    best = solve(DISTINCT)
    permutation = np.eye(3)[[2, 0, 1]] * [1, -1, -1]
    rotation = orthogonal(3, np.random.default_rng(0))
    losses = {
        (name, diagonal): elbo_terms(rotated_vae(best.vae, matrix, diagonal), DISTINCT.covariance).loss(DISTINCT.beta)
        for name, matrix in (("permutation", permutation), ("rotation", rotation))
        for diagonal in (True, False)
    }
    assert losses["permutation", True] == pytest.approx(best.loss, abs=1e-12)
    assert losses["rotation", False] == pytest.approx(best.loss, abs=1e-12)
    assert losses["rotation", True] > best.loss + 1e-3


def test_rotations_within_a_tie_are_optimal():
    best = solve(TIED)
    rotated = rotated_vae(best.vae, orthogonal(2, np.random.default_rng(0)), diagonal=True)
    assert elbo_terms(rotated, TIED.covariance).loss(TIED.beta) == pytest.approx(best.loss, abs=1e-12)


def test_a_tie_across_the_last_latent_frees_the_subspace():
    best = solve(ISOTROPIC)
    turn = orthogonal(4, np.random.default_rng(0))
    other = LinearVAE(
        turn @ best.vae.decoder, best.vae.encoder @ turn.T, best.vae.posterior_covariance, best.noise_variance
    )
    assert elbo_terms(other, ISOTROPIC.covariance).loss(ISOTROPIC.beta) == pytest.approx(best.loss, abs=1e-12)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    spectrum=st.lists(st.floats(1e-2, 1e2) | st.just(0.0) | st.just(1.0), min_size=1, max_size=5),
    latent_dim=st.integers(0, 6),
    beta=st.floats(0.1, 10),
    noise=st.floats(0.05, 5) | st.just("learned"),
    seed=st.integers(0, 1000),
)
def test_no_perturbation_is_better(spectrum, latent_dim, beta, noise, seed):
    rng = np.random.default_rng(seed)
    basis = orthogonal(len(spectrum), rng)
    covariance = (basis * spectrum) @ basis.T
    best = optimum((covariance + covariance.T) / 2, latent_dim, beta=beta, noise_variance=noise)
    if best.vae is None:
        assert best.loss == -np.inf
        return
    for size in (1e-3, 0.1, 1.0):
        root = np.diag(np.sqrt(np.diagonal(best.vae.posterior_covariance))) @ (
            np.eye(latent_dim) + size * rng.standard_normal((latent_dim, latent_dim))
        )
        other = LinearVAE(
            best.vae.decoder + size * rng.standard_normal(best.vae.decoder.shape),
            best.vae.encoder + size * rng.standard_normal(best.vae.encoder.shape),
            root @ root.T + 1e-9 * np.eye(latent_dim),
            best.noise_variance * (np.exp(size * rng.standard_normal()) if noise == "learned" else 1),
        )
        # The slack is the rounding of a distortion of size tr S over a noise s2.
        slack = 1e-13 * (1 + sum(spectrum) / best.noise_variance)
        assert elbo_terms(other, (covariance + covariance.T) / 2).loss(beta) >= best.loss - slack


def test_units_scale_with_the_data():
    one, scaled = (optimum(scale * DISTINCT.covariance, 3, beta=1.1) for scale in (1, 100))
    assert scaled.noise_variance == pytest.approx(100 * one.noise_variance)
    assert scaled.rate == pytest.approx(one.rate)
    np.testing.assert_allclose(scaled.vae.decoder, 10 * one.vae.decoder, atol=1e-10)
    np.testing.assert_allclose(scaled.critical_betas, one.critical_betas)


def test_moments_hand_on_their_mean():
    data = np.random.default_rng(0).standard_normal((40, 3)) + np.arange(3)
    moments = Moments.of(data)
    best = optimum(moments, 2, beta=0.7)
    np.testing.assert_array_equal(best.vae.mean, moments.mean)
    assert elbo_terms(best.vae, moments).loss(0.7) == pytest.approx(best.loss, abs=1e-12)
    assert optimum(moments.covariance, 2, beta=0.7).vae.mean is None


def test_a_curve_factors_once(monkeypatch):
    calls, factor = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: (calls.append(1), factor(matrix))[1])
    optimum_curve(DISTINCT.covariance, 3, np.geomspace(0.1, 10, 1000))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 0}, "beta must be > 0"),
        ({"beta": np.nan}, "beta must be finite"),
        ({"noise_variance": 0.0}, "noise_variance must be > 0"),
        ({"noise_variance": "true"}, "noise_variance must be a number or 'learned'"),
        ({"posterior": "triangular"}, "posterior must be 'diagonal', 'full'"),
        ({"posterior": [[0, 1]]}, "misses latents"),
        ({"latent_dim": -1}, "latent_dim must be >= 0"),
        ({"latent_dim": 2.5}, "latent_dim must be a whole number"),
        ({"covariance": np.ones((4, 3))}, "covariance must be square"),
        ({"covariance": np.diag([1.0, -0.5])}, "covariance must have no negative eigenvalue"),
        ({"covariance": np.array([[1.0, 0.2], [0.1, 1.0]])}, "covariance must be symmetric"),
    ],
)
def test_misuse_is_refused(changes, message):
    arguments = {"covariance": DISTINCT.covariance, "latent_dim": 3} | changes
    with pytest.raises(ValueError, match=message):
        optimum(**arguments)


def test_misuse_of_the_curve_is_told():
    with pytest.raises(ValueError, match="betas must be a vector"):
        optimum_curve(DISTINCT.covariance, 3, 1.0)
    with pytest.raises(ValueError, match="betas must be > 0"):
        optimum_curve(DISTINCT.covariance, 3, [1.0, -1.0])


MANY, FEW = 240, 12  # enough dimensions and few enough latents that only some eigenvectors are computed
LARGE = {
    "distinct": np.linspace(5, 1, MANY),
    "isotropic": np.full(MANY, 2.0),
    "tied_at_the_last": np.where(np.arange(MANY) < 2 * FEW, 3.0, 1.0),
    "small_rest": np.where(np.arange(MANY) < FEW, np.linspace(5, 1, MANY), 1e-6),
    "rank_above": np.where(np.arange(MANY) <= FEW, np.linspace(5, 1, MANY), 0.0),
    "rank_equal": np.where(np.arange(MANY) < FEW, np.linspace(5, 1, MANY), 0.0),
    "rank_below": np.where(np.arange(MANY) < FEW - 3, np.linspace(5, 1, MANY), 0.0),
    "zero": np.zeros(MANY),
}


@NOISES
@pytest.mark.parametrize("beta", [0.7, 1.3])
@pytest.mark.parametrize("spectrum", LARGE)
def test_large_data_with_few_latents(spectrum, beta, learned):
    """Against the diagonal covariance of the exact eigenvalues with every eigenvector, and the parts of its own VAE."""
    eigenvalues, basis = LARGE[spectrum], orthogonal(MANY, np.random.default_rng(0))
    product = (basis * eigenvalues) @ basis.T
    covariance = (product + product.T) / 2
    noise = "learned" if learned else 0.4
    best = optimum(covariance, FEW, beta=beta, noise_variance=noise)
    exact = optimum_curve(np.diag(eigenvalues), FEW, [beta], noise_variance=noise)
    assert best.noise_status == exact.noise_status[0]
    assert best.active_count == exact.active_count[0]
    # Rounding moves an eigenvalue by some 1e-15 of the largest, and where 1e-6 remain, that is 1e-9 of the noise.
    close = 1e-8 if spectrum == "small_rest" else 1e-10
    for name in ("distortion", "rate", "loss", "noise_variance"):
        assert getattr(best, name) == pytest.approx(getattr(exact, name)[0], rel=close, abs=1e-10)
    np.testing.assert_allclose(best.eigenvalues, eigenvalues, atol=1e-12)
    np.testing.assert_allclose(best.critical_betas, exact.critical_betas, rtol=close)
    if best.vae is not None:
        terms = elbo_terms(best.vae, covariance)
        assert best.distortion == pytest.approx(terms.distortion, rel=1e-10)
        assert best.rate == pytest.approx(terms.rate, rel=close, abs=1e-10)
        assert best.vae.decoder.shape == (MANY, FEW)
    leading = optimum(covariance, FEW, beta=beta, noise_variance=noise, leading_only=True)
    assert (leading.noise_status, leading.active_count) == (best.noise_status, best.active_count)
    for name in ("distortion", "rate", "loss", "noise_variance", "critical_betas"):
        np.testing.assert_allclose(getattr(leading, name), getattr(best, name), rtol=close, atol=1e-10, err_msg=name)
    np.testing.assert_allclose(leading.eigenvalues, best.eigenvalues[:FEW], rtol=0, atol=1e-12)
    if best.vae is not None:
        assert elbo_terms(leading.vae, covariance).loss(beta) == pytest.approx(leading.loss, rel=close, abs=1e-10)
    curve = optimum_curve(covariance, FEW, [beta], noise_variance=noise)
    np.testing.assert_array_equal(curve.eigenvalues, best.eigenvalues)
    assert curve.loss[0] == best.loss


@NOISES
@EVERY_CASE
def test_leading_eigenvalues_and_the_trace_are_enough(case, learned):
    for latent_dim in (0, 1, case.latent_dim, len(case.covariance), 8):
        best, leading = (solve_with(case, latent_dim, learned, leading_only=only) for only in (False, True))
        assert leading.noise_status == best.noise_status
        decided = np.abs(best.critical_betas - case.beta) > 1e-12  # at a threshold rounding says which
        np.testing.assert_array_equal(leading.active[decided], best.active[decided])
        np.testing.assert_allclose(leading.eigenvalues, best.eigenvalues[:latent_dim], rtol=0, atol=1e-13)
        for name in ("distortion", "rate", "loss", "noise_variance", "critical_betas"):
            np.testing.assert_allclose(getattr(leading, name), getattr(best, name), rtol=1e-12, atol=1e-12)
        if best.vae is not None and latent_dim <= case.latent_dim:
            assert elbo_terms(leading.vae, case.covariance).loss(case.beta) == pytest.approx(best.loss, abs=1e-10)


def test_a_large_matrix_that_is_no_covariance_is_refused():
    with pytest.raises(ValueError, match=r"covariance must have no negative eigenvalue, its smallest is -0\.5"):
        optimum(np.diag(np.linspace(3, -0.5, MANY)), FEW)


@pytest.mark.parametrize("size", [1e-4, 1e-6, 3e-7, 1e-8])
def test_the_noise_of_nearly_singular_data_is_known_to_the_resolution(size):
    """Two strong directions of 20 and noise of this size: by the singular values of the data, which keep its digits."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        data = rng.standard_normal((300, 2)) @ rng.standard_normal((2, 20)) + size * rng.standard_normal((300, 20))
        powers = np.linalg.svd(data - data.mean(axis=0), compute_uv=False) ** 2 / len(data)
        best = optimum(Moments.of(data), 8)
        assert best.resolution == pytest.approx(20 * np.finfo(float).eps * powers[0])
        assert abs(best.noise_variance - powers[8:].mean()) < best.resolution
        if size != 3e-7:  # which lies at the resolution
            assert best.noise_status == ("learned" if size > 3e-7 else "zero")
        assert optimum(Moments.of(data), 8, leading_only=True).resolution == pytest.approx(best.resolution)
        assert optimum_curve(Moments.of(data), 8, [1.0]).resolution == best.resolution


@pytest.mark.parametrize("leading_only", [False, True])
def test_variables_of_very_different_size(leading_only):
    """diag(1e16, 1, 1e-16) with two latents: the noise is the third variance, though the first rounds it away."""
    best = optimum(np.diag([1e16, 1.0, 1e-16]), 2, leading_only=leading_only)
    assert best.noise_status == "learned" and best.noise_variance == pytest.approx(1e-16, rel=1e-12)
    # Probabilistic PCA with all variances but the last learned: 1/2 [ 3 (log 2 pi + 1) + log det S ].
    assert best.loss == pytest.approx(1.5 * (np.log(2 * np.pi) + 1), rel=1e-12)
    one = optimum(np.diag([1e16, 1.0, 1e-16]), 1, leading_only=leading_only)
    assert one.noise_variance == pytest.approx(0.5, rel=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), size=st.integers(2, 5))
def test_units_of_the_variables_against_sixty_digits(seed, size):
    rng = np.random.default_rng(seed)
    root, units = rng.standard_normal((size, size + 2)), 10.0 ** rng.uniform(-8, 8, size)
    covariance = root @ root.T * np.outer(units, units)
    covariance = (covariance + covariance.T) / 2
    best = optimum(covariance, size - 1)
    with mp.workdps(60):
        eigenvalues = sorted(mp.eigsy(mp.matrix(covariance.tolist()), eigvals_only=True), reverse=True)
    np.testing.assert_allclose(best.eigenvalues[: size - 1], np.array(eigenvalues[:-1], dtype=float), rtol=1e-9)
    assert best.noise_variance == pytest.approx(float(eigenvalues[-1]), rel=1e-9)
    # One more variable, a multiple of the first: rank `size` in `size + 1` variables, and a latent for every mode.
    root, units = np.vstack([root, root[:1]]), np.append(units, 1.0)
    assert optimum(root @ root.T * np.outer(units, units), size).noise_status == "zero"


@pytest.mark.parametrize("seed", [46, 407, 725, 811, 1172])
def test_the_noise_of_variables_of_very_different_size_is_known_to_the_resolution(seed):
    rng = np.random.default_rng(seed)
    root, units = rng.standard_normal((2, 4)), 10.0 ** rng.uniform(-8, 8, 2)
    covariance = root @ root.T * np.outer(units, units)
    covariance = (covariance + covariance.T) / 2
    with mp.workdps(50):
        least = min(mp.eigsy(mp.matrix(covariance.tolist()), eigvals_only=True))
    best = optimum(covariance, 1)
    assert abs(best.noise_variance - least) < best.resolution < 1e-11 * best.noise_variance


@pytest.mark.parametrize("seed", range(4))
def test_an_eigenvalue_that_counts_as_zero_is_no_larger_than_the_resolution(seed):
    """A small variable besides two that depend: what is left of the smaller of these, rounding, is above it."""
    root = np.random.default_rng(seed).standard_normal((2, 3))[[0, 1, 0]]
    covariance = root @ root.T * np.outer(*[[1e8, 1e-9, 1e3]] * 2)
    covariance = (covariance + covariance.T) / 2
    with mp.workdps(60):
        largest, *others = sorted(mp.eigsy(mp.matrix(covariance.tolist()), eigvals_only=True), key=abs)[::-1]
    best = optimum(covariance, 3)
    assert best.noise_status == "zero" and np.count_nonzero(best.eigenvalues) == 2
    assert best.eigenvalues[0] == pytest.approx(float(largest), rel=1e-12)
    # The exact eigenvalues of the rounded matrix: that of the small variable, and one that is rounding.
    assert max(abs(float(value)) for value in others) < best.resolution + best.eigenvalues[1]
    assert 1e-12 < best.resolution < 1e-6


def test_what_does_not_fit_or_cannot_be_computed_is_told():
    for latent_dim, message in (
        (2**31, "latent_dim = 2147483648 needs .* GiB"),
        (True, "latent_dim"),
        (2.0, "latent_d"),
    ):
        with pytest.raises(ValueError, match=message):
            optimum(np.eye(2), latent_dim)
        with pytest.raises(ValueError, match=message):
            optimum_curve(np.eye(2), latent_dim, [1.0])
    for name, value in (("beta", 1e308), ("beta", None), ("noise_variance", 1e-320), ("leading_only", "no")):
        with pytest.raises(ValueError, match=name):
            optimum(np.eye(2), 1, **{name: value})


@pytest.mark.parametrize("beta", [Decimal("0.5"), Fraction(1, 2), np.float16(0.5), np.array(0.5, dtype=object)])
def test_numbers_of_every_kind_are_betas(beta):
    assert optimum(DISTINCT.covariance, 2, beta=beta).loss == optimum(DISTINCT.covariance, 2, beta=0.5).loss


@pytest.mark.parametrize("noise", [0.3, "learned"])
def test_no_variables(noise):
    nothing = np.zeros((0, 0))
    assert (
        optimum(nothing, 0, beta=0.5, noise_variance=noise).loss
        == optimum_curve(nothing, 0, [0.5], noise_variance=noise).loss
    )
