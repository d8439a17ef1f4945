"""The page on the penalty on the aggregate code ends with what `theory.priors` computes."""

import pytest
import sympy as sp

from theory import priors
from theory.derivations.priors.aggregate_penalty import derivation


@pytest.mark.parametrize("ratio", [0.01, 0.5, 20.0])
def test_mean_of_the_kernel(ratio):
    a = sp.Symbol("a", positive=True)
    found = float(derivation().formula("Mean of the kernel").subs(a, sp.Float(ratio, 30)))
    assert priors.kernel_mean(0.8 / (2 * ratio), scale=0.8) == pytest.approx(found, rel=1e-12)
