"""The page on orthogonality by chance ends with what `theory.axes` computes."""

import numpy as np
import pytest

from theory import axes
from theory.derivations.axes.orthogonality_by_chance import derivation


def test_chance_level():
    page, found = derivation(), axes.orthogonality_chance_level(2)
    mean, square = (float(page.function(title)()) for title in page.results)
    assert found.mean == pytest.approx(mean, rel=1e-12)
    assert found.standard_deviation == pytest.approx(np.sqrt(square - mean**2), rel=1e-12)
