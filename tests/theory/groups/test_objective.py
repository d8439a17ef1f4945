"""The grouped objective of plain arrays: its value against the checked parts, its gradient against a complex step."""

from __future__ import annotations

import numpy as np
import pytest

from theory.groups import Weights, grouped_gradient, grouped_loss, grouped_terms
from theory.model import LinearVAE
from theory.partition import partition

WEIGHTS = Weights(1.3, 2.1, 0.7, 0.4)
PARTITIONS = ("diagonal", "full", [[0, 2], [1, 3]])
STEP = 1e-30


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((4, 5)), rng.standard_normal((5, 6))
    return {
        "decoder": rng.standard_normal((5, 4)),
        "encoder": 0.4 * rng.standard_normal((4, 5)),
        "posterior_covariance": roots[0] @ roots[0].T / 4,
        "noise_variance": 0.6,
        "covariance": roots[1] @ roots[1].T,
    }


def priors():
    root = np.random.default_rng(1).standard_normal((4, 5))
    return [None, root @ root.T]


@pytest.mark.parametrize("prior", priors(), ids=["standard", "correlated"])
@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
def test_value_is_the_sum_of_the_parts(arrays, groups, prior):
    vae = LinearVAE(*(arrays[name] for name in ("decoder", "encoder", "posterior_covariance", "noise_variance")))
    value = grouped_loss(**arrays, weights=WEIGHTS, groups=partition(groups, 4), prior=prior)
    parts = grouped_terms(vae, arrays["covariance"], groups, prior=prior)
    assert value == pytest.approx(parts.loss(WEIGHTS), abs=1e-11)


@pytest.mark.parametrize("prior", priors(), ids=["standard", "correlated"])
@pytest.mark.parametrize("groups", PARTITIONS, ids=str)
def test_gradient_by_complex_step(arrays, groups, prior):
    options = {"weights": WEIGHTS, "groups": partition(groups, 4), "prior": prior}
    exact = grouped_gradient(**arrays, **options)
    for name in ("decoder", "encoder", "posterior_covariance", "noise_variance"):
        value = np.asarray(arrays[name], dtype=complex)
        slope = np.empty(value.shape)
        for index in np.ndindex(value.shape):
            moved = value.copy()
            moved[index] += 1j * STEP
            slope[index] = grouped_loss(**(arrays | {name: moved}), **options).imag / STEP
        np.testing.assert_allclose(getattr(exact, name), slope, rtol=1e-11, atol=1e-12)
        other = getattr(grouped_gradient(**arrays, **(options | {"weights": Weights(1.3, 2.1, 0.8, 0.4)})), name)
        unmoved = groups == "diagonal" or name in ("decoder", "noise_variance")  # the weight within plays no part there
        assert unmoved == np.allclose(other, slope)


def test_weights():
    assert Weights.uniform(3) == Weights(3, 3, 3, 3)
    assert Weights.independence(5) == Weights(1, 5, 1, 1)
    assert Weights(between=-1).between == -1.0
    with pytest.raises(ValueError, match="mutual_information must be > 0"):
        Weights(0.0)
    with pytest.raises(ValueError, match="within must be finite"):
        Weights(within=np.nan)


def test_misuse(arrays):
    options = {"weights": WEIGHTS, "groups": "diagonal"}
    for function in (grouped_loss, grouped_gradient):
        with pytest.raises(ValueError, match="encoder must be 4 x 5, got 5 x 4; pass its transpose"):
            function(**arrays | {"encoder": arrays["encoder"].T}, **options)
        with pytest.raises(ValueError, match="posterior_covariance must be positive definite"):
            function(**arrays | {"posterior_covariance": np.zeros((4, 4))}, **options)
        with pytest.raises(ValueError, match="decoder must be real, or real with imaginary parts as small"):
            function(**arrays | {"decoder": 1j * arrays["decoder"]}, **options)
        with pytest.raises(ValueError, match="leaves the range of floats"):
            function(**arrays | {"covariance": 1e308 * np.eye(5)}, **options)
        with pytest.raises(ValueError, match="groups must have no empty group"):
            function(**arrays, weights=WEIGHTS, groups=[[0, 1, 2, 3], []])
