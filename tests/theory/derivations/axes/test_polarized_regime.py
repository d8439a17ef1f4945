"""The page on the polarized regime ends with what `theory.axes` computes."""

import numpy as np
import pytest
import sympy as sp

from theory import axes
from theory.derivations.axes.polarized_regime import derivation
from theory.derivations.engine.notation import t
from theory.derivations.engine.page import as_function
from theory.learning import optimum


def test_polarized_regime():
    page = derivation()
    share, probability = (page.formula(title) for title in page.results)
    level = sp.Symbol("l", positive=True)
    expected = as_function(share, t, level)(0.3, 2.0)
    assert axes.polarized_relative_error([2.0], 0.3) == pytest.approx(expected, rel=1e-12)
    # One latent with posterior variance t/l and mean variance 1 - t/l.
    bound, variance = 2 * 1.2 + 1 + np.log(0.15) - 0.15, 0.85
    expected = float(probability.subs({sp.Symbol("b", positive=True): bound, sp.Symbol("v", positive=True): variance}))
    vae = optimum(np.diag([2.0, 0.1]), 1, noise_variance=0.3).vae
    assert axes.collapse_probability(vae, np.diag([2.0, 0.1]), 1.2)[0] == pytest.approx(expected, rel=1e-12)
