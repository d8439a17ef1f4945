"""The page on the slope at beta = 1 ends with what `theory.inference` computes."""

import numpy as np
import pytest
import sympy as sp

from tests.theory.derivations.inference.cases import TRUTHS
from theory import inference
from theory.derivations.engine.notation import sigma
from theory.derivations.inference.slope_at_one import derivation


def test_slope_at_one():
    truth = TRUTHS["independent"]
    c, h = sp.symbols("c h", positive=True)
    slope = derivation().function("Slope at one", c, h, sigma)
    _, covariance = truth.posterior()
    norms = np.diagonal(truth.loading.T @ truth.loading)
    total = slope(np.diagonal(covariance), norms, np.sqrt(truth.noise_variance)).sum()
    assert total == pytest.approx(inference.forward_kl_slope(truth), rel=1e-10)
    assert total < -0.01
