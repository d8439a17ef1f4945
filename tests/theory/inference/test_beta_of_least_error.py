"""The curve over beta and its optimum: against single encoders, brute force, the papers' setting and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from tests.theory.inference.reference import Reference
from tests.theory.inference.truths import FAMILIES, truth_of
from theory import (
    GenerativeModel,
    inference_error,
    inference_error_curve,
    optimal_beta,
    optimal_encoder,
)
from theory.inference import mismatched_beta, two_factor_loading
from theory.inference.errors_along_beta import CRITERIA, error_path
from theory.inference.factored_decoder import FactoredDecoder
from theory.minimise import log_slope


def cost_at(truth, criterion, beta, **options):
    """The criterion at one beta as a cost, through the encoder itself rather than the curve."""
    decoder = options.get("decoder", truth.loading)
    noise = options.get("noise_variance", truth.noise_variance)
    vae = optimal_encoder(decoder, noise, beta, posterior=options.get("posterior", "diagonal"))
    value = getattr(inference_error(truth, vae), criterion)
    return -value if criterion == "log_score" else value


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
    path = error_path(truth, FactoredDecoder.of(truth, None, "diagonal"))
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


def test_optimal_beta_with_learned_noise():
    truth = truth_of(12)
    found = optimal_beta(truth, noise_variance="learned")
    betas = found.beta * np.geomspace(0.5, 2, 401)
    curve = inference_error_curve(truth, betas, noise_variance="learned").forward_kl
    assert found.error <= curve.min() + 1e-12
    assert betas[np.argmin(curve)] == pytest.approx(found.beta, rel=0.01)


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
