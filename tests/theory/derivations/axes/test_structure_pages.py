"""The pages on orthogonality, manipulation, separation and scores end with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

from tests.cases import orthogonal
from theory import axes, scores
from theory.derivations.engine.notation import A, K, t
from theory.derivations.engine.page import as_function
from theory.derivations.registry import find
from theory.learning import optimum


def page_of(name):
    (page,) = find([name])
    return page


def test_chance_level():
    page, found = page_of("orthogonality-by-chance"), axes.orthogonality_chance_level(2)
    mean, square = (float(page.function(title)()) for title in page.results)
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.standard_deviation == pytest.approx(np.sqrt(square - mean**2), rel=1e-12)


def test_polarized_regime():
    page = page_of("polarized-regime")
    share, probability = (page.formula(title) for title in page.results)
    level = sp.Symbol("l", positive=True)
    expected = as_function(share, t, level)(0.3, 2.0)
    assert axes.polarized_relative_error([2.0], 0.3) == pytest.approx(expected, rel=1e-12)
    # One latent with posterior variance t/l and mean variance 1 - t/l.
    bound, variance = 2 * 1.2 + 1 + np.log(0.15) - 0.15, 0.85
    expected = float(probability.subs({sp.Symbol("b", positive=True): bound, sp.Symbol("v", positive=True): variance}))
    vae = optimum(np.diag([2.0, 0.1]), 1, noise_variance=0.3).vae
    assert axes.collapse_probability(vae, np.diag([2.0, 0.1]), 1.2)[0] == pytest.approx(expected, rel=1e-12)


def test_manipulation():
    page = page_of("smallest-manipulation")
    a1, a2, g = sp.symbols("a_1 a_2 g", positive=True)
    theta = sp.Symbol("theta", real=True)
    loading = orthogonal(3, np.random.default_rng(0))[:, :2] * [2.0, 1.3]
    expected = page.function("Smallest change at 45 degrees", a1, a2, g)(2.0, 1.3, 0.4)
    assert axes.two_factor_manipulation(loading, np.pi / 4, gap=0.4).size ** 2 == pytest.approx(expected, rel=1e-10)
    for angle in (0.1, 0.5):
        square = axes.two_factor_manipulation(loading, angle).size ** 2
        determinant = page.function("With the gap free", a1, a2, theta)(2.0, 1.3, angle)
        assert square * (2.0**2 + 1.3**2 - square) == pytest.approx(determinant, rel=1e-10)


def test_separation():
    page = page_of("separation-by-time")
    rng = np.random.default_rng(1)
    truth = axes.TemporalModel(rng.standard_normal((4, 2)), [0.8, 0.1], 0.3)
    found = axes.separate(truth.covariance, truth.lagged_covariance(), 2)
    # O = B A and R of the page are the mixing of the whitened factors and their lag correlations.
    whitening = as_function(page.abbreviation("B"), sp.MatrixSymbol("O", K, K), A)(np.eye(2), truth.loading)
    lagged = whitening @ truth.lagged_covariance() @ whitening.T
    expected = page.function("The lagged covariance, whitened", sp.MatrixSymbol("O", K, K), sp.MatrixSymbol("R", K, K))
    np.testing.assert_allclose(lagged, expected(np.eye(2), np.diag([0.8, 0.1])), atol=1e-12)
    np.testing.assert_allclose(found.lag_correlations, np.diagonal(lagged), atol=1e-12)


@pytest.mark.parametrize("size", [2, 5])
def test_scores(size):
    page = page_of("gaussian-scores")
    information = page.function("Mutual information", sp.Symbol("r", real=True))
    code = scores.GaussianCode([[1.0]], [[1.0]], [[0.6]])
    assert scores.mutual_information_matrix(code)[0, 0] == pytest.approx(information(0.6), rel=1e-12)
    ratio = float(page.formula("Chance level").subs(sp.Symbol("k", positive=True), size))
    expected = (np.sqrt(size) - ratio) / (np.sqrt(size) - 1)
    assert scores.hoyer_chance_level(size) == pytest.approx(expected, rel=1e-12)
