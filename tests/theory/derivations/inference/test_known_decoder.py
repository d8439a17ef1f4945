"""The pages on a known decoder end with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial import Polynomial
from scipy.integrate import quad

import theory
from theory import inference
from theory.derivations.engine.notation import A, D, K, Q, S, V, W, beta, sigma, t, tau
from theory.derivations.registry import find

TRUTHS = {
    "independent": theory.GenerativeModel([[1.0, 0.9], [0.0, 0.436], [0.3, -0.2]], 0.4),
    "correlated": theory.GenerativeModel([[1.0, 0.9], [0.0, 0.436], [0.3, -0.2]], 0.4, [[1.0, 0.6], [0.6, 1.5]]),
    "more factors than data": theory.GenerativeModel([[1.0, 0.5, -0.3], [0.2, 1.0, 0.8]], 0.7),
}


def page_of(name):
    (page,) = find([name])
    return page


@pytest.fixture(params=TRUTHS)
def truth(request):
    return TRUTHS[request.param]


def any_vae(truth):
    rng = np.random.default_rng(3)
    encoder = rng.standard_normal((truth.latent_dim, truth.data_dim))
    root = rng.standard_normal((truth.latent_dim, truth.latent_dim + 1))
    return theory.LinearVAE(truth.loading, encoder, root @ root.T, 0.9)


def test_excess_loss_of_any_encoder(truth):
    vae, weight = any_vae(truth), 1.7
    page = page_of("optimal-encoder")
    best = theory.optimal_encoder(vae.decoder, vae.noise_variance, weight, posterior="full")
    excess = page.function("The loss as a completed square", W, V, Q, S, beta, t, K)(
        vae.decoder,
        vae.encoder,
        vae.posterior_covariance,
        truth.covariance,
        weight,
        weight * vae.noise_variance,
        vae.latent_dim,
    )
    losses = [theory.elbo_terms(model, truth.covariance).loss(weight) for model in (vae, best)]
    assert excess == pytest.approx(losses[0] - losses[1], rel=1e-10)


def test_price_of_a_family():
    decoder, noise, weight = np.random.default_rng(5).standard_normal((4, 3)), 0.6, 2.5
    precision = np.eye(3) + decoder.T @ decoder / (weight * noise)
    price = page_of("posterior-families").function("The price of a family", sp.MatrixSymbol("P", 3, 3), beta)
    groups = [[0, 1], [2]]
    assert price(precision, weight) == pytest.approx(
        inference.family_gap(decoder, noise, weight, posterior=groups), rel=1e-10
    )


def test_four_errors(truth):
    vae, page = any_vae(truth), page_of("inference-error")
    errors = theory.inference_error(truth, vae)
    size = truth.latent_dim
    noise = truth.noise_variance * np.eye(truth.data_dim)
    factors, M = sp.MatrixSymbol("Gamma", K, K), sp.MatrixSymbol("M", K, K)
    symbols = (A, V, Q, factors, sp.MatrixSymbol("N", D, D), K)
    values = (truth.loading, vae.encoder, vae.posterior_covariance, truth.factor_covariance, noise, size)
    ends = {
        "Log score": errors.log_score,
        "Forward divergence": errors.forward_kl,
        "Reverse divergence": errors.reverse_kl,
    }
    for title, expected in ends.items():
        assert page.function(title, *symbols)(*values) == pytest.approx(expected, rel=1e-10), title
    squared = page.function("The error matrix", M, *symbols)(np.eye(size), *values)
    assert squared == pytest.approx(errors.mean_squared_error, rel=1e-10)


@pytest.mark.parametrize("weight", [0.4, 1.0, 3.0])
def test_error_matrix_of_the_best_encoder(weight):
    for name in ("independent", "more factors than data"):
        truth = TRUTHS[name]
        level = weight * truth.noise_variance
        matrix = page_of("inference-error").function("Error matrix of the best encoder", A, t, tau, K)(
            truth.loading, level, np.sqrt(truth.noise_variance), truth.latent_dim
        )
        curve = theory.inference_error_curve(truth, [weight])
        assert np.trace(matrix) == pytest.approx(curve.mean_squared_error[0], rel=1e-10)


def test_slope_at_one():
    truth = TRUTHS["independent"]
    c, h = sp.symbols("c h", positive=True)
    slope = page_of("slope-at-one").function("Slope at one", c, h, sigma)
    _, covariance = truth.posterior()
    norms = np.diagonal(truth.loading.T @ truth.loading)
    total = slope(np.diagonal(covariance), norms, np.sqrt(truth.noise_variance)).sum()
    assert total == pytest.approx(inference.forward_kl_slope(truth), rel=1e-10)
    assert total < -0.01


@pytest.mark.parametrize(("ratio", "coherence"), [(2.0, 0.3), (200.0, 0.96), (0.5, -0.8)])
def test_two_factors(ratio, coherence):
    a, r = sp.Symbol("a", positive=True), sp.Symbol("r", real=True)
    page = page_of("two-factors")
    slope = page.function("The stationarity polynomial", beta, a, r)
    polynomial = Polynomial(inference.two_factor_polynomial(ratio, coherence))
    weights = np.array([0.3, 1.0, 2.0, 7.0])
    g, h = ratio * (1 + coherence), ratio * (1 - coherence)
    denominator = 2 * weights**2 * (weights + ratio) * (weights + g) ** 3 * (weights + h) ** 3
    # At a = 200 the coefficients of the polynomial span 14 decades.
    assert slope(weights, ratio, coherence) == pytest.approx(polynomial(weights) / denominator, rel=1e-8)
    best = theory.optimal_beta(theory.GenerativeModel(inference.two_factor_loading(ratio, coherence), 1.0)).beta
    assert abs(slope(best, ratio, coherence)) < 1e-9
    correction = page.function("Small coherence", a)(ratio)
    assert 1 + correction * coherence**2 == pytest.approx(inference.small_coherence_beta(ratio, coherence), rel=1e-12)


def test_noise_mismatch():
    page = page_of("noise-mismatch")
    title = "The precision at a scaled beta"
    scaled = sp.lambdify((beta, tau, sigma), page.abbreviation("b"))
    assert scaled(1.3, 0.5, 2.0) == pytest.approx(inference.mismatched_beta(1.3, 0.25, 4.0), rel=1e-12)
    expected = page.function(title, W, beta, tau, K)(np.ones((3, 2)), 1.3, 0.5, 2)
    assert expected == pytest.approx(np.eye(2) + 3 / (1.3 * 0.25) * np.ones((2, 2)))


def test_correlated_factors_are_stationary_where_the_page_says():
    truth = TRUTHS["correlated"]
    g, gamma = sp.symbols("g gamma", positive=True)
    slope = page_of("noise-mismatch").function("One mode", g, gamma, t, tau)
    strengths, directions = np.linalg.eigh(truth.loading.T @ truth.loading)
    variances = np.diagonal(directions.T @ truth.factor_covariance @ directions)
    best = theory.optimal_beta(truth, "mean_squared_error").beta * truth.noise_variance
    low, high = inference.squared_error_level_bracket(truth)
    deviation = np.sqrt(truth.noise_variance)
    slopes = {level: slope(strengths, variances, level, deviation) for level in (best, low, high)}
    assert abs(slopes[best].sum()) < 1e-8
    assert (slopes[low] < 1e-12).all() and (slopes[high] > -1e-12).all()
    assert low < best < high


@pytest.mark.parametrize(("aspect", "ratio"), [(0.5, 4.0), (2.0, 3.0)])
def test_random_mixing(aspect, ratio):
    page = page_of("random-mixing")
    a, c, z = sp.symbols("a c z", positive=True)
    transform = sp.lambdify((a, c, z), page.abbreviation("S(z)"))
    low, high = ratio * (1 - np.sqrt(aspect)) ** 2, ratio * (1 + np.sqrt(aspect)) ** 2

    def average(function):
        """Over the Marchenko-Pastur law, by quadrature of its density."""

        def density(x):
            return np.sqrt((high - x) * (x - low)) / (2 * np.pi * aspect * ratio * x)

        continuous = quad(lambda x: function(x) * density(x), low, high, epsabs=1e-12)[0]
        return continuous + max(0.0, 1 - 1 / aspect) * function(0.0)

    for weight in (0.5, 1.0, 3.0):
        assert transform(ratio, aspect, weight) == pytest.approx(average(lambda x, w=weight: 1 / (x + w)), rel=1e-8)
        error = page.function("Mean squared error per factor", a, c, beta)(ratio, aspect, weight)
        expected = inference.random_mixing_errors(aspect, ratio, weight).mean_squared_error
        assert error == pytest.approx(expected, rel=1e-10)
        assert error == pytest.approx(average(lambda x, w=weight: (w**2 + x) / (x + w) ** 2), rel=1e-8)
    information = sp.lambdify((a, c, z), page.abbreviation("I(z)"))
    assert information(ratio, aspect, 1.0) == pytest.approx(average(np.log1p), rel=1e-8)
