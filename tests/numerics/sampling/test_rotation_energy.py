"""The cost of a rotation by drawn codes."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.sampling.rotation_energy import BLOCK, sampled_rotation_energies
from theory.axes import plane_rotation
from theory.priors.registry import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_blocks_of_codes_are_all_of_them(name):
    prior, count = EXAMPLES[name], 2 * BLOCK + 5
    codes = np.random.default_rng(0).standard_normal((count, 2))
    turns = [plane_rotation(2, angle) for angle in (0.3, 1.1)]
    found = sampled_rotation_energies(prior, codes, iter(turns), 1.7)
    for turn, estimate in zip(turns, found, strict=True):
        falls = 1.7 * (prior.log_density(codes) - prior.log_density(codes @ turn.T))
        assert estimate.value == pytest.approx(falls.mean(), rel=1e-11, abs=1e-14)
        assert estimate.standard_error == pytest.approx(falls.std(ddof=1) / np.sqrt(count), rel=1e-11, abs=1e-14)
