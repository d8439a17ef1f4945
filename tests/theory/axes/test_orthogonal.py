"""Orthogonal matrices: what a plane rotation moves, and a uniform random one."""

from __future__ import annotations

import numpy as np
import pytest

from theory.axes import plane_rotation
from theory.axes.orthogonal import checked_rotation, random_orthogonal


def test_a_plane_rotation_turns_the_first_axis_to_the_second():
    rotation = plane_rotation(4, np.pi / 2, 1, 3)
    np.testing.assert_allclose(rotation @ np.eye(4)[1], np.eye(4)[3], atol=1e-15)
    np.testing.assert_array_equal(rotation[[0, 2]], np.eye(4)[[0, 2]])
    np.testing.assert_allclose(plane_rotation(2, 0.3) @ plane_rotation(2, 0.4), plane_rotation(2, 0.7), atol=1e-15)


def test_a_random_orthogonal_matrix_is_uniform():
    """Entries of a uniform one have mean square 1/K and mean fourth power 3 / (K (K + 2)), whatever their place."""
    rng, draws, size = np.random.default_rng(0), 20_000, 3
    drawn = np.array([random_orthogonal(size, rng) for _ in range(draws)])
    np.testing.assert_allclose(drawn @ drawn.swapaxes(1, 2), np.broadcast_to(np.eye(size), drawn.shape), atol=1e-13)
    np.testing.assert_allclose(np.mean(drawn, axis=0), 0, atol=5 / np.sqrt(3 * draws))
    np.testing.assert_allclose(np.mean(drawn**2, axis=0), 1 / size, atol=5 * 0.3 / np.sqrt(draws))
    np.testing.assert_allclose(np.mean(drawn**4, axis=0), 3 / (size * (size + 2)), atol=5 * 0.3 / np.sqrt(draws))


def test_rounding_of_a_rotation_is_corrected():
    rotation = plane_rotation(3, 0.4, 0, 2)
    checked = checked_rotation(rotation * (1 + 3e-9), 3)
    np.testing.assert_allclose(checked, rotation, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plane_rotation(2, 0.1, 1, 1), "i and j must be two different latents"),
        (lambda: plane_rotation(2, 0.1, 0, 2), "i and j must be two different latents"),
        (lambda: plane_rotation(2, np.nan), "angle must be finite"),
        (lambda: plane_rotation(2, np.array([1.0, 2.0])), "angle must be one number"),
        (lambda: plane_rotation(2, 0.1, True, 0), "i must be a whole number"),
        (lambda: plane_rotation(2**31, 0.1), "latent_dim = 2147483648 needs .* GiB"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
