"""The curve over beta and its optimum: against single encoders, brute force, the papers' setting and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from tests.theory.inference.reference import Reference
from theory import (
    GenerativeModel,
    elbo_terms,
    inference_error,
    inference_error_curve,
    optimal_beta,
    optimal_encoder,
)
from theory.inference import mismatched_beta, two_factor_loading
from theory.inference.criteria import CRITERIA
from theory.inference.decoder_noise import decoder_noise
from theory.inference.errors_along_beta import error_path
from theory.inference.factored_decoder import FactoredDecoder
from theory.minimise import log_slope


def path_of(truth):
    return error_path(truth, FactoredDecoder.of(truth, None, "diagonal"))


FAMILIES = ["diagonal", "full", [[0, 2], [1]]]


def truth_of(seed, data_dim=5, factors=3, noise=0.3, correlated=False):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(factors, factors))
    loading = rng.normal(size=(data_dim, factors))
    return GenerativeModel(loading, noise, root @ root.T + 0.2 * np.eye(factors) if correlated else None)


def cost_at(truth, criterion, beta, **options):
    """The criterion at one beta as a cost, through the encoder itself rather than the curve."""
    decoder = options.get("decoder", truth.loading)
    noise = options.get("noise_variance", truth.noise_variance)
    vae = optimal_encoder(decoder, noise, beta, posterior=options.get("posterior", "diagonal"))
    value = getattr(inference_error(truth, vae), criterion)
    return -value if criterion == "log_score" else value


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("data_dim", [5, 2])
def test_curve_is_the_error_of_each_encoder(family, correlated, data_dim):
    truth = truth_of(0, data_dim, correlated=correlated)
    decoder = np.random.default_rng(1).normal(size=truth.loading.shape)
    betas = np.array([0.05, 1.0, 7.0])
    curve = inference_error_curve(truth, betas, decoder=decoder, noise_variance=0.7, posterior=family)
    for at, beta in enumerate(betas):
        single = inference_error(truth, optimal_encoder(decoder, 0.7, beta, posterior=family))
        for name in CRITERIA:
            assert getattr(curve, name)[at] == pytest.approx(getattr(single, name), rel=1e-10), name


def test_curve_keeps_the_shape_of_betas_and_survives_chunking(monkeypatch):
    truth = truth_of(2)
    betas = np.geomspace(0.1, 10, 12)
    whole = inference_error_curve(truth, betas)
    monkeypatch.setattr("theory.inference.errors_along_beta.CHUNK", 30)
    parts = inference_error_curve(truth, betas.reshape(3, 4))
    for name in CRITERIA:
        # to rounding: a library may add up the rows of a product differently when there are fewer of them
        np.testing.assert_allclose(getattr(parts, name).ravel(), getattr(whole, name), rtol=1e-13, err_msg=name)
    assert inference_error_curve(truth, 2.0).forward_kl.shape == ()
    assert inference_error_curve(truth, []).forward_kl.shape == (0,)


def test_curve_of_a_rank_deficient_loading_and_of_a_singular_truth():
    rank_one = GenerativeModel(np.outer([1.0, 2.0], [1.0, -0.5]), 0.2)
    noiseless = GenerativeModel(np.array([[1.0, 0.4], [0.0, 1.0]]), 0.0)
    for truth, noise in [(rank_one, 0.2), (noiseless, 0.5)]:
        curve = inference_error_curve(truth, [0.3, 2.0], noise_variance=noise)
        for at, beta in enumerate([0.3, 2.0]):
            single = inference_error(truth, optimal_encoder(truth.loading, noise, beta))
            for name in CRITERIA:
                assert getattr(curve, name)[at] == pytest.approx(getattr(single, name), rel=1e-10), name


def test_slope_is_exact():
    path = path_of(truth_of(3, correlated=True))
    for name in CRITERIA:

        def cost(levels, name=name):
            return getattr(path.evaluate(levels), name)

        levels, step = np.array([0.02, 0.5, 9.0]), 1e-4
        central = [
            (cost(levels * np.exp(k * step)) - cost(levels * np.exp(-k * step))) / (2 * k * step) for k in (1, 2)
        ]
        extrapolated = (4 * central[0] - central[1]) / 3  # error O(step^4), rounding 1e-12
        assert np.allclose(log_slope(cost, levels), extrapolated, rtol=1e-8, atol=1e-9), name


@pytest.mark.parametrize("noise, expected", [(0.05, 2.73787), (0.5, 1.55975)])
def test_stated_example(noise, expected):
    truth = GenerativeModel([[1, 0.9], [0, 0.436]], noise)
    assert optimal_beta(truth).beta == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("mismatch", [False, True])
def test_optimum_against_a_search_over_single_encoders(criterion, family, mismatch):
    truth = truth_of(4, correlated=mismatch)
    options = {"posterior": family}
    if mismatch:
        options |= {
            "decoder": truth.loading + 0.3 * np.random.default_rng(5).normal(size=(5, 3)),
            "noise_variance": 0.9,
        }
    found = optimal_beta(truth, criterion, **options)
    grid = np.linspace(np.log(1e-4), np.log(1e4), 400)
    values = [cost_at(truth, criterion, np.exp(point), **options) for point in grid]
    near = grid[int(np.argmin(values))]
    search = minimize_scalar(
        lambda point: cost_at(truth, criterion, np.exp(point), **options),
        bracket=(near - 0.1, near, near + 0.1),
        tol=1e-12,
    )
    value = -found.error if criterion == "log_score" else found.error
    assert value <= search.fun + 1e-12
    assert value == pytest.approx(cost_at(truth, criterion, found.beta, **options), rel=1e-10)
    # values near a minimum are flat to half the digits, so a search by value can only locate it to 1e-6 or so
    assert found.beta == pytest.approx(np.exp(search.x), rel=1e-5)
    assert not found.flat


@pytest.mark.parametrize("noise", [1e-4, 0.3, 20.0])
def test_optimum_is_stationary_to_ten_digits(noise):
    truth = truth_of(6, noise=noise)
    best = optimal_beta(truth).beta
    path = path_of(truth)
    around = log_slope(lambda t: path.evaluate(t).forward_kl, noise * best * np.array([1 - 1e-10, 1 + 1e-10]))
    assert around[0] < 0 < around[1]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), noise=st.floats(0.01, 10), family=st.sampled_from(["diagonal", [[0, 1], [2]]]))
def test_laws_for_independent_factors_and_the_true_decoder(seed, noise, family):
    truth = truth_of(seed, noise=noise)
    assert optimal_beta(truth, "mean_squared_error", posterior=family).beta == pytest.approx(1, rel=1e-10)
    assert optimal_beta(truth, "reverse_kl", posterior=family).beta == pytest.approx(1, rel=1e-10)
    assert optimal_beta(truth, "forward_kl", posterior=family).beta > 1
    assert optimal_beta(truth, "forward_kl", posterior="full").beta == pytest.approx(1, rel=1e-10)


def test_orthogonal_columns_and_only_they_leave_beta_at_one():
    orthogonal = GenerativeModel(np.array([[2.0, 0.0], [0.0, 0.7], [0.0, 0.7]]), 0.3)
    assert optimal_beta(orthogonal).beta == pytest.approx(1, rel=1e-10)
    barely = GenerativeModel(np.array([[2.0, 0.01], [0.0, 0.7], [0.0, 0.7]]), 0.3)
    assert optimal_beta(barely).beta > 1 + 1e-7
    across = GenerativeModel(np.array([[2.0, 1.0, 0.0], [0.0, 0.7, 0.0], [0.0, 0.0, 0.7]]), 0.3)
    assert optimal_beta(across, posterior=[[0, 1], [2]]).beta == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_noise_mismatch_scales_every_optimum_whatever_the_factors(criterion):
    for truth in (truth_of(7, noise=0.4), truth_of(8, noise=0.4, correlated=True)):
        matched, wrong = optimal_beta(truth, criterion), optimal_beta(truth, criterion, noise_variance=1.9)
        assert wrong.beta == pytest.approx(mismatched_beta(matched.beta, 0.4, 1.9), rel=1e-10)
        assert wrong.error == pytest.approx(matched.error, rel=1e-12)


def test_correlated_factors_break_the_laws():
    strong = 2 * np.array([[1, 0.99], [0.99, 1]])
    truth = GenerativeModel(np.linalg.cholesky(strong).T, 1.0, [[1, 0.9], [0.9, 1]])
    assert optimal_beta(truth).beta == pytest.approx(0.617, abs=5e-4)
    assert optimal_beta(truth, "mean_squared_error").beta < 0.95


def test_the_optimum_jumps_between_two_minima():
    before, after = (GenerativeModel(two_factor_loading(200.0, r), 1.0) for r in (0.9575, 0.96))
    assert optimal_beta(before).beta == pytest.approx(4.73, abs=0.01)
    assert optimal_beta(after).beta == pytest.approx(84.2, abs=0.1)


def test_flat_and_boundary_results():
    blind = optimal_beta(GenerativeModel(np.zeros((3, 2)), 0.5))
    assert blind.flat
    assert blind.error == pytest.approx(0, abs=1e-15)
    loading = np.array([[1.0, 0.9], [0.0, 0.436]])
    for criterion in CRITERIA:
        assert optimal_beta(GenerativeModel(loading, 0.0), criterion).beta == 0
        assert optimal_beta(GenerativeModel(loading, 0.0), criterion, noise_variance=0.3).beta == 0
    assert optimal_beta(GenerativeModel(loading, 0.0), "mean_squared_error", noise_variance=0.3).error == pytest.approx(
        0, abs=1e-25
    )
    assert optimal_beta(GenerativeModel(loading, 0.0), "reverse_kl").flat  # infinite whatever beta is
    wrong_way = np.array([[0.0], [1.0]])  # the decoder looks where there is only noise: no encoder is the best encoder
    misled = optimal_beta(GenerativeModel(np.array([[1.0], [0.0]]), 0.5), "mean_squared_error", decoder=wrong_way)
    assert misled.beta == np.inf
    assert misled.error == pytest.approx(1.0, rel=1e-12)


def test_more_factors_than_data():
    truth = truth_of(9, data_dim=2, factors=4)
    assert optimal_beta(truth, "mean_squared_error").beta == pytest.approx(1, rel=1e-10)
    assert optimal_beta(truth).beta > 1.01


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


def test_optimal_beta_with_learned_noise():
    truth = truth_of(12)
    found = optimal_beta(truth, noise_variance="learned")
    betas = found.beta * np.geomspace(0.5, 2, 401)
    curve = inference_error_curve(truth, betas, noise_variance="learned").forward_kl
    assert found.error <= curve.min() + 1e-12
    assert betas[np.argmin(curve)] == pytest.approx(found.beta, rel=0.01)


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


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_beta_found_has_the_error_found(criterion):
    """Also where the noise runs to zero for every beta below 1, and the beta of a level is 1 up to rounding."""
    loading = [[-0.0007693468321054667, 4.979808200333572e-05], [-0.005915409872127688, -0.06056362276459927]]
    truth = GenerativeModel(loading, 0.004699631724424224)
    found = optimal_beta(truth, criterion, noise_variance="learned")
    curve = inference_error_curve(truth, [found.beta], noise_variance="learned")
    assert found.attained
    assert found.error == pytest.approx(getattr(curve, criterion)[0], rel=1e-7)


def test_a_minimum_beyond_all_scales_is_found():
    """One factor of variance 3e51: minimised at 120 digits. The limit at beta 0 is infinite, and was returned."""
    truth = GenerativeModel([[2.8e-17], [1.8e-16], [3.9e-16]], 0.25, [[3e51]])
    best = optimal_beta(truth, "reverse_kl", decoder=[[3.1e-17], [2.9e-16], [3.7e-16]])
    assert best.attained and best.beta == pytest.approx(2.0265279594421e-51, rel=1e-12)
    assert best.error == pytest.approx(1.36476803573339e19, rel=1e-12)


@pytest.mark.filterwarnings("error")
def test_loadings_that_span_a_hundred_decades():
    # Orthogonal columns to rounding: inference is exact at beta 1.
    truth = GenerativeModel([[1e50, 1e-50], [0.0, 1.0]], 0.1)
    for criterion in CRITERIA:
        assert optimal_beta(truth, criterion).beta == pytest.approx(1, rel=1e-12)


def test_a_learned_noise_far_below_the_signal():
    truth = GenerativeModel(np.array([[1.0, 0.5], [0.0, 1.0], [0.0, 0.0]]), 1e-20)
    curve = inference_error_curve(truth, [1.0], noise_variance="learned")
    assert curve.mean_squared_error == pytest.approx(2.25e-20, rel=1e-8)


# Problems found by attack. Values: sixty-digit arithmetic on the same numbers, except where a comment says otherwise.
WRONG_WAY = (GenerativeModel([[1.0, 0.9]], 0.01), {"decoder": [[1.0, -2.7]], "posterior": "full"})


def test_a_group_whose_columns_depend_has_no_well_at_zero():
    """Its second rotated column is zero; 1e-16 in its place opens a well at t = 1e-33 that is not there."""
    truth, options = WRONG_WAY
    found = optimal_beta(truth, "reverse_kl", **options)
    assert (found.beta, found.attained, found.flat) == (np.inf, False, False)
    # The limit is the prior as posterior: 1/2 [ tr (I + A^T A / tau2) (I + I) - 2 K - log det (I + A^T A / tau2) ].
    assert found.error == pytest.approx((2 * (2 + 181) - 4 - np.log(182)) / 2, rel=1e-12)
    curve = inference_error_curve(truth, [1e-30, 1e-20, 1.0, 1e6], **options)
    assert curve.reverse_kl[0] == pytest.approx(237.675294778, rel=1e-10)
    assert (curve.reverse_kl > found.error).all()


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


def test_nearly_collinear_factors():
    """The true posterior's smallest variance is 5e-13: a scale that loading and noise do not have."""
    correlated = [[1, 1 - 1e-12], [1 - 1e-12, 1]]
    found = optimal_beta(GenerativeModel([[1, 0], [0, 2]], 0.5, correlated), "reverse_kl")
    assert found.attained
    # 1 - 1e-12 itself is rounded to 1e-4 of the 1e-12.
    assert found.beta == pytest.approx(4.2667e-11, rel=1e-3)
    assert found.error == pytest.approx(1.5625e11, rel=1e-3)


def random_problem(seed):
    """Truth, decoder, noise and groups with what can go wrong: dependent columns, K > D, units, near collinearity.

    What is dependent is so exactly (small integers, scaled by powers of two). `tolerance` is what the rounding of the
    problem's own numbers does to the errors.
    """
    rng = np.random.default_rng(seed)
    data_dim, factors = rng.integers(1, 5, 2)
    rank = rng.integers(1, min(data_dim, factors) + 1)

    def dependent():
        return rng.integers(-3, 4, (data_dim, rank)).astype(float) @ rng.integers(-3, 4, (rank, factors))

    loading = dependent() if rng.random() < 0.5 else rng.standard_normal((data_dim, factors))
    kinds = (loading, rng.standard_normal(loading.shape), dependent(), loading * 2.0 ** rng.integers(-26, 27))
    decoder = kinds[rng.integers(4)]
    if not (loading.any() and decoder.any()):
        loading = decoder = np.ones(loading.shape)
    covariance, tolerance = np.eye(factors), 1e-8
    if rng.random() < 0.5:
        apart = 10.0 ** -rng.uniform(0, 12)
        covariance = np.where(np.eye(factors) > 0, 1.0, 1 - apart)
        tolerance = max(tolerance, 1e-14 / apart)
    units, data_unit = 2.0 ** rng.integers(-26, 27, factors) ** (rng.random() < 0.5), 2.0 ** rng.integers(-26, 27)
    loading, decoder = data_unit * loading / units, data_unit * decoder / units
    noise = data_unit**2 * 10.0 ** rng.uniform(-10, 4)
    groups = [[[i] for i in range(factors)], [list(range(factors))], [[0, *range(2, factors)], [1]]][
        rng.integers(3 if factors > 1 else 2)
    ]
    decoder_noise = "true" if rng.random() < 0.5 else noise * 10.0 ** rng.uniform(-3, 3)
    truth = GenerativeModel(loading, noise, covariance * np.outer(units, units))
    return truth, decoder, decoder_noise, groups, tolerance


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_no_level_is_better_than_the_one_returned(seed):
    """Against a scan in ninety digits, and the prior as posterior (the limit of an infinite level)."""
    truth, decoder, decoder_noise_, groups, tolerance = random_problem(seed)
    reference = Reference(truth.loading, truth.noise_variance, truth.factor_covariance, decoder, groups)
    noise = truth.noise_variance if decoder_noise_ == "true" else decoder_noise_
    scales = [noise, truth.noise_variance, np.abs(decoder).max() ** 2, np.abs(truth.loading).max() ** 2]
    levels = [*np.geomspace(min(scales) * 1e-14, max(scales) * 1e14, 50), np.inf]
    scan = [reference.errors(level) for level in levels]
    for criterion in CRITERIA:
        sign = -1 if criterion == "log_score" else 1
        found = optimal_beta(truth, criterion, decoder=decoder, noise_variance=decoder_noise_, posterior=groups)
        assert found.attained == (0 < found.beta < np.inf) and not found.flat
        assert found.beta > 0 or criterion == "mean_squared_error"  # the only error that is finite at level zero
        exact = float(reference.errors(found.beta * noise or min(scales) * 1e-40)[criterion])
        allowed = tolerance * (1e-3 + abs(exact))
        assert found.error == pytest.approx(exact, abs=allowed), criterion
        assert sign * exact <= min(sign * float(errors[criterion]) for errors in scan) + allowed, criterion


@pytest.mark.parametrize("criterion", CRITERIA)
def test_units_of_data_and_factors_change_nothing_but_the_units(criterion):
    truth = truth_of(13, correlated=True)
    decoder = truth.loading + 0.3 * np.random.default_rng(14).normal(size=(5, 3))
    expected = optimal_beta(truth, criterion, decoder=decoder, noise_variance=0.7)
    for unit in (1e-8, 1e8):
        scaled = GenerativeModel(unit * truth.loading, unit**2 * truth.noise_variance, truth.factor_covariance)
        found = optimal_beta(scaled, criterion, decoder=unit * decoder, noise_variance=0.7 * unit**2)
        assert found.beta == pytest.approx(expected.beta, rel=1e-10)
        assert found.error == pytest.approx(expected.error, rel=1e-10)


def test_without_noise_the_log_score_has_no_bound():
    """A decoder that explains the data: the reported variance runs to zero faster than the error."""
    truth = GenerativeModel([[1.0, 0.9], [0.0, 0.436]], 0.0)
    found = optimal_beta(truth, "log_score", noise_variance=0.3)
    assert (found.beta, found.error, found.attained) == (0.0, np.inf, False)
    wrong = optimal_beta(truth, "log_score", decoder=[[1.0, 0.2], [0.3, 1.0]], noise_variance=0.3)
    assert wrong.attained and np.isfinite(wrong.error)


def test_a_decoder_that_sees_nothing_is_flat_up_to_rounding():
    """W^T A = 0, though its computed value is not."""
    basis = np.linalg.qr(np.random.default_rng(15).normal(size=(4, 4)))[0]
    truth, decoder = GenerativeModel(basis[:, :2] * [3.0, 0.1], 0.0), basis[:, 2:] * [0.7, 20.0]
    found = optimal_beta(truth, "mean_squared_error", decoder=decoder, noise_variance=1.0)
    assert found.flat and found.error == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize(
    "options, named",
    [
        ({"criterion": "kl"}, "criterion"),
        ({"decoder": np.eye(3)}, "decoder"),
        ({"noise_variance": 0.0}, "noise_variance"),
        ({"noise_variance": "guessed"}, "noise_variance"),
        ({"posterior": "round"}, "posterior"),
        ({"decoder": 1e200 * np.ones((5, 3))}, "decoder"),
        ({"noise_variance": 1e-320}, "noise_variance"),
    ],
)
def test_misuse_names_the_argument(options, named):
    with pytest.raises(ValueError, match=named):
        optimal_beta(truth_of(0), **options)
    for betas in ([1.0, 0.0], [1e308], 1e-320, None, "text"):
        with pytest.raises(ValueError, match="betas"):
            inference_error_curve(truth_of(0), betas)
    with pytest.raises(ValueError, match="truth must be a GenerativeModel, got None"):
        optimal_beta(None)
    with pytest.raises(ValueError, match=r"truth\.noise_variance must be zero or between"):
        optimal_beta(truth_of(0, noise=1e-320))
