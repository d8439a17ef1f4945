"""The curve over beta and its optimum: against single encoders, brute force, the papers' setting and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from theory import (
    GenerativeModel,
    elbo_terms,
    inference_error,
    inference_error_curve,
    optimal_beta,
    optimal_encoder,
)
from theory.inference import mismatched_beta, two_factor_loading
from theory.inference.decoder_noise import decoder_noise
from theory.inference.minimum import log_slope
from theory.inference.path import CRITERIA, error_path

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
    monkeypatch.setattr("theory.inference.path.CHUNK", 30)
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
    path = error_path(truth_of(3, correlated=True), None, "diagonal")
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
    path = error_path(truth, None, "diagonal")
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
    levels = decoder_noise(truth, decoder, "learned", "diagonal").water_levels(betas)
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
        level = decoder_noise(truth, decoder, "learned", "diagonal").water_levels(np.array([middle]))[0]
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
    levels = decoder_noise(truth, decoder, "learned", "diagonal").water_levels(np.array([0.1, 0.3, 0.49, 0.51, 2.0]))
    assert not levels[:3].any()
    assert (levels[3:] > 0).all()
    square = optimal_beta(truth_of(0, data_dim=2, factors=2, noise=0.1), noise_variance="learned")
    assert square.beta == 0 or square.beta >= 1


def test_a_learned_noise_far_below_the_signal():
    truth = GenerativeModel(np.array([[1.0, 0.5], [0.0, 1.0], [0.0, 0.0]]), 1e-20)
    curve = inference_error_curve(truth, [1.0], noise_variance="learned")
    assert curve.mean_squared_error == pytest.approx(2.25e-20, rel=1e-8)


@pytest.mark.parametrize(
    "options, named",
    [
        ({"criterion": "kl"}, "criterion"),
        ({"decoder": np.eye(3)}, "decoder"),
        ({"noise_variance": 0.0}, "noise_variance"),
        ({"noise_variance": "guessed"}, "noise_variance"),
        ({"posterior": "round"}, "posterior"),
    ],
)
def test_misuse_names_the_argument(options, named):
    with pytest.raises(ValueError, match=named):
        optimal_beta(truth_of(0), **options)
    with pytest.raises(ValueError, match="betas"):
        inference_error_curve(truth_of(0), [1.0, 0.0])
