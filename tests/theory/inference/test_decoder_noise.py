"""The learned noise of a fixed decoder, and the optimal beta with it."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tests.theory.inference.truths import FAMILIES, truth_of
from theory import (
    GenerativeModel,
    elbo_terms,
    inference_error_curve,
    optimal_beta,
    optimal_encoder,
)
from theory.inference.decoder_noise import decoder_noise
from theory.inference.errors_along_beta import CRITERIA
from theory.inference.factored_decoder import FactoredDecoder


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_learned_noise_minimises_the_objective(family):
    truth = truth_of(10, noise=0.3, correlated=True)
    decoder = truth.loading + 0.4 * np.random.default_rng(11).normal(size=(5, 3))
    for beta in (0.4, 1.0, 3.0):

        def loss(log_noise, beta=beta):
            vae = optimal_encoder(decoder, np.exp(log_noise), beta, posterior=family)
            return elbo_terms(vae, truth.covariance).loss(beta)

        grid = np.linspace(-8, 8, 200)
        near = grid[np.argmin([loss(point) for point in grid])]
        search = minimize_scalar(loss, bracket=(near - 0.1, near, near + 0.1), tol=1e-12)
        learned = inference_error_curve(truth, beta, decoder=decoder, noise_variance="learned", posterior=family)
        fixed = inference_error_curve(truth, beta, decoder=decoder, noise_variance=np.exp(search.x), posterior=family)
        for name in CRITERIA:  # a search by value locates the noise to 1e-7 or so
            assert getattr(learned, name) == pytest.approx(getattr(fixed, name), rel=1e-5), name


def jumping():
    """A strong direction of the data in which the decoder is weak, almost no noise outside: two wells in the noise."""
    truth = GenerativeModel(np.array([[1.0, 0.0], [0.0, 3.0], [0.0, 0.0]]), 1e-3)
    return truth, np.array([[1.0, 0.0], [0.0, 0.5], [0.0, 0.0]])


def test_a_learned_noise_that_jumps_is_the_better_of_its_wells():
    truth, decoder = jumping()
    betas = np.geomspace(1e-3, 1, 200)
    levels = decoder_noise(truth, FactoredDecoder.of(truth, decoder, "diagonal"), "learned").water_levels(betas)
    assert np.diff(np.log(levels)).min() > 0  # never falls
    assert np.diff(np.log(levels)).max() > 3  # but jumps

    def loss(beta, noise):
        return elbo_terms(optimal_encoder(decoder, noise, beta), truth.covariance).loss(beta)

    noises = np.geomspace(1e-5, 1e4, 600)
    for beta, level in zip(betas[::20], levels[::20], strict=True):
        assert loss(beta, level / beta) <= min(loss(beta, noise) for noise in noises) + 1e-12


@pytest.mark.parametrize("criterion", CRITERIA)
def test_levels_that_learned_noise_jumps_over_are_not_offered(criterion):
    truth, decoder = jumping()
    betas = np.geomspace(1e-3, 20, 2000)
    sign = -1 if criterion == "log_score" else 1
    curve = sign * getattr(inference_error_curve(truth, betas, decoder=decoder, noise_variance="learned"), criterion)
    found = optimal_beta(truth, criterion, decoder=decoder, noise_variance="learned")
    unreachable = optimal_beta(truth, criterion, decoder=decoder, noise_variance=1.0)
    assert sign * found.error <= curve.min() + 1e-9 * abs(curve.min())
    assert sign * found.error >= sign * unreachable.error - 1e-12  # the best of all levels, jumped over or not
    # either side of where it says, at a jump, the error is the one reported
    near = inference_error_curve(
        truth, found.beta * np.array([1 - 1e-9, 1, 1 + 1e-9]), decoder=decoder, noise_variance="learned"
    )
    assert np.isclose(getattr(near, criterion), found.error, rtol=1e-5).any()


def test_an_optimum_at_a_jump_is_where_the_levels_jump():
    truth, decoder = jumping()
    low, high = 0.4, 0.7
    while high / low > 1 + 1e-14:
        middle = np.sqrt(low * high)
        level = decoder_noise(truth, FactoredDecoder.of(truth, decoder, "diagonal"), "learned").water_levels(
            np.array([middle])
        )[0]
        low, high = (middle, high) if level < 0.05 else (low, middle)
        if not low < np.sqrt(low * high) < high:
            break
    for criterion in CRITERIA:
        found = optimal_beta(truth, criterion, decoder=decoder, noise_variance="learned")
        unreachable = optimal_beta(truth, criterion, decoder=decoder, noise_variance=1.0)
        assert found.beta == pytest.approx(low, rel=1e-10)
        sign = -1 if criterion == "log_score" else 1
        assert sign * found.error > sign * unreachable.error + 0.01  # the best of all levels belongs to no beta


def test_a_learned_noise_with_nothing_outside_runs_to_zero():
    truth = GenerativeModel(np.array([[5.0, 1.0]]), 0.5)
    decoder = np.array([[1.0, 0.3]])  # D / n = 1/2
    levels = decoder_noise(truth, FactoredDecoder.of(truth, decoder, "diagonal"), "learned").water_levels(
        np.array([0.1, 0.3, 0.49, 0.51, 2.0])
    )
    assert not levels[:3].any()
    assert (levels[3:] > 0).all()
    square = optimal_beta(truth_of(0, data_dim=2, factors=2, noise=0.1), noise_variance="learned")
    assert square.beta == 0 or square.beta >= 1


@pytest.mark.parametrize("loading", [[[1.0, 0.9], [0.0, 0.436]], [[1.0, 2.0]]], ids=["square", "wide"])
@pytest.mark.parametrize("strength", [1e1, 1e3, 1e5, 1e9, 1e14])
def test_a_full_posterior_at_beta_one_learns_the_noise_of_the_truth(loading, strength):
    """Then the bound is tight, and the likelihood of the truth's decoder is largest at the truth's noise.

    The objective rises by (noise/signal)^2 only where the noise runs to zero, 1e-60 nats for the strongest signal here.
    """
    truth = GenerativeModel(strength * np.array(loading), 0.05)
    options = {"noise_variance": "learned", "posterior": "full"}
    level = decoder_noise(truth, FactoredDecoder.of(truth, None, "full"), "learned").water_levels(np.array([1.0]))[0]
    assert level == pytest.approx(0.05, rel=1e-12)
    assert inference_error_curve(truth, [1.0], **options).forward_kl == pytest.approx(0, abs=1e-7)
    for criterion in ("mean_squared_error", "forward_kl", "reverse_kl"):
        best = optimal_beta(truth, criterion, **options)
        assert best.attained and best.beta == pytest.approx(1, abs=1e-12)
        assert best.error == pytest.approx(optimal_beta(truth, criterion, posterior="full").error, rel=1e-12, abs=1e-7)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("noise", [1e-2, 1e-14, 1e-18, 1e-30])
def test_orthogonal_columns_at_beta_one_learn_the_noise_of_the_truth(noise):
    """As many as data dimensions: the diagonal posterior is exact. The noise is far below the rounding of the data."""
    truth = GenerativeModel([[3.0, 4.0], [-4.0, 3.0]], noise)
    best = optimal_beta(truth, noise_variance="learned")
    assert (best.beta, best.attained) == (1, True) and best.error == pytest.approx(0, abs=1e-12)
    assert decoder_noise(truth, FactoredDecoder.of(truth, None, "diagonal"), "learned").water_levels(np.array([1.0]))[
        0
    ] == pytest.approx(noise)


def test_a_learned_noise_far_below_the_signal():
    truth = GenerativeModel(np.array([[1.0, 0.5], [0.0, 1.0], [0.0, 0.0]]), 1e-20)
    curve = inference_error_curve(truth, [1.0], noise_variance="learned")
    assert curve.mean_squared_error == pytest.approx(2.25e-20, rel=1e-8)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_learned_noise_that_runs_to_zero_has_an_infimum(criterion):
    """D = K = 1: distortion(t) = 5 t^2/(4+t)^2 ..., every beta < 1 has level zero, where the error is tau2/A^2."""
    truth = GenerativeModel([[2.0]], 1.0, [[3.0]])
    found = optimal_beta(truth, criterion, noise_variance="learned")
    if criterion == "mean_squared_error":
        assert (found.beta, found.error, found.attained) == (0.0, 0.25, False)
    else:  # the reported variance is zero there, and every divergence infinite: an infinite limit never wins
        assert found.attained and found.beta >= 1 and np.isfinite(found.error)
    curve = inference_error_curve(truth, [0.5, 1.0], noise_variance="learned").mean_squared_error
    assert curve == pytest.approx([0.25, 1.46153846], rel=1e-8)
