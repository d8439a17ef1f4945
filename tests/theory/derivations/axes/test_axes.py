"""The pages on axes end with what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory.axes import rotation
from theory.derivations.engine.notation import K, beta
from theory.derivations.engine.page import as_function
from theory.derivations.registry import find


def page_of(name):
    (page,) = find([name])
    return page


@pytest.mark.parametrize(
    ("title", "encoder"),
    [
        ("Energy if the encoder is optimised again", "reoptimised"),
        ("Energy if the off-diagonals are dropped", "truncated"),
    ],
)
def test_two_mode_energy(title, encoder):
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    theta = sp.Symbol("theta", real=True)
    angles = np.linspace(0, np.pi, 13)
    energy = page_of("rotation").function(title, p1, p2, theta, beta)(6.0, 1.5, angles, 2.0)
    expected = rotation.two_mode_rotation_energy(6.0, 1.5, angles, 2.0, encoder=encoder)
    assert energy == pytest.approx(expected, rel=1e-10, abs=1e-14)
    decoder = np.diag(np.sqrt([5.0, 0.5]))  # at t = 1 its precisions are 6 and 1.5
    turned = rotation.rotation_energy(decoder, 0.5, 2.0, rotation.plane_rotation(2, angles[2]), encoder=encoder)
    assert energy[2] == pytest.approx(turned, rel=1e-10)


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
    page = page_of("annealed-prior")
    offset = as_function(page.abbreviation("c"), sp.MatrixSymbol("Pi", K, K), beta, K)(prior, weight, 2)
    left = -theory.elbo_terms(plain, covariance, prior=prior).loss(weight)
    right = -theory.elbo_terms(scaled, covariance, prior=prior).loss(1.0)
    right += (weight - 1) / 2 * np.linalg.slogdet(weight * posterior)[1] + offset
    assert left == pytest.approx(right, rel=1e-10)
