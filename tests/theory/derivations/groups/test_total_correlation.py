"""The page on total correlation says what `theory` computes."""

import numpy as np
import pytest
import sympy as sp

import theory
from theory import gaussian
from theory.derivations.groups.total_correlation import derivation


def test_chain_rule():
    root = np.random.default_rng(0).standard_normal((3, 4))
    covariance = root @ root.T
    total = derivation().function("Chain rule of a Gaussian", sp.MatrixSymbol("C", 3, 3))(covariance)
    assert total == pytest.approx(gaussian.total_correlation(covariance), rel=1e-10)


def test_a_whitened_code_keeps_distortion_and_information_and_loses_the_rest():
    rng = np.random.default_rng(1)
    covariance = np.diag([4.0, 2.0, 1.0, 0.5])
    root = rng.standard_normal((3, 4))
    vae = theory.LinearVAE(rng.standard_normal((4, 3)), rng.standard_normal((3, 4)), root @ root.T, 0.5)
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    white = np.linalg.inv(np.linalg.cholesky(code))
    white = np.linalg.eigh(white @ vae.posterior_covariance @ white.T)[1].T @ white
    moved = theory.LinearVAE(
        vae.decoder @ np.linalg.inv(white),
        white @ vae.encoder,
        np.diag(np.diagonal(white @ vae.posterior_covariance @ white.T)),  # diagonal up to rounding
        0.5,
    )
    before, after = theory.elbo_terms(vae, covariance), theory.elbo_terms(moved, covariance)
    assert after.distortion == pytest.approx(before.distortion, rel=1e-10)
    assert after.mutual_information == pytest.approx(before.mutual_information, rel=1e-10)
    assert before.total_correlation > 0.05
    assert after.total_correlation == pytest.approx(0, abs=1e-12)
    assert after.dimension_wise_kl == pytest.approx(0, abs=1e-12)
