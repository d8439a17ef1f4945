"""The page on the annealed prior ends with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory.derivations.engine.notation import K, beta
from theory.derivations.engine.page import as_function
from theory.derivations.priors.annealed_prior import derivation
from theory.priors import rescaled_terms


@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_gaussian_annealing(weight):
    """The objective of weight beta against the one of weight 1 with latents scaled by the square root of beta."""
    rng = np.random.default_rng(2)
    roots = rng.standard_normal((3, 2, 3))
    prior, posterior = (root @ root.T + 0.1 * np.eye(2) for root in roots[:2])
    covariance = np.diag([3.0, 2.0, 1.0])
    decoder, encoder = rng.standard_normal((3, 2)), roots[2]
    plain = theory.LinearVAE(decoder, encoder, posterior, 0.8)
    root = np.sqrt(weight)
    scaled = theory.LinearVAE(decoder / root, root * encoder, weight * posterior, 0.8)
    page = derivation()
    offset = as_function(page.abbreviation("c"), sp.MatrixSymbol("Pi", K, K), beta, K)(prior, weight, 2)
    left = -theory.elbo_terms(plain, covariance, prior=prior).loss(weight)
    right = -theory.elbo_terms(scaled, covariance, prior=prior).loss(1.0)
    right += (weight - 1) / 2 * np.linalg.slogdet(weight * posterior)[1] + offset
    assert left == pytest.approx(right, rel=1e-10)
    assert right == pytest.approx(-rescaled_terms(plain, covariance, weight, prior=prior).loss, rel=1e-10)
