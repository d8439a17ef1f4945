"""Hoyer sparsity, against simulation, quadrature and series."""

from __future__ import annotations

import numpy as np
import pytest

from tests.theory.scores.codes import linear
from theory import scores as room
from theory.model import GenerativeModel, LinearVAE
from theory.scores.gaussian_code import GaussianCode


def test_hoyer_chance_level():
    assert round(room.hoyer_chance_level(50), 4) == 0.2307
    assert room.hoyer_chance_level(10**7) == pytest.approx(1 - np.sqrt(2 / np.pi), abs=1e-3)
    for size in (2, 3, 7, 50):
        assert room.hoyer_sparsity(linear(np.eye(size))) == pytest.approx(room.hoyer_chance_level(size), abs=1e-11)
    # Two latents: z/|z| is uniform on the circle, and E(|cos| + |sin|) = 4/pi.
    assert room.hoyer_chance_level(2) == pytest.approx((np.sqrt(2) - 4 / np.pi) / (np.sqrt(2) - 1), abs=1e-12)
    assert np.isnan(room.hoyer_chance_level(1))


def test_hoyer_sparsity_at_the_ends():
    assert room.hoyer_sparsity(linear(np.ones((5, 1)))) == pytest.approx(0, abs=1e-11)
    assert room.hoyer_sparsity(linear([[1.0], [0.0], [0.0]])) == pytest.approx(1, abs=1e-11)
    rng = np.random.default_rng(0)
    root = rng.standard_normal((4, 4)) * [2.0, 1.0, 0.3, 0.1]
    codes = rng.standard_normal((200_000, 4)) @ root.T
    codes /= np.linalg.norm(root, axis=1)
    sparsity = (2 - np.abs(codes).sum(1) / np.linalg.norm(codes, axis=1)) / (2 - 1)
    error = sparsity.std() / np.sqrt(len(codes))
    found = room.hoyer_sparsity(linear(root))
    assert abs(found - sparsity.mean()) < 5 * error
    assert abs(found - room.hoyer_chance_level(4)) > 10 * error


@pytest.mark.parametrize("least", [1e-4, 1e-10, 1e-20])
def test_sparsity_of_two_codes_that_nearly_depend(least):
    """By the angle of the two sources, z = sqrt(2 - l) a (1, 1)/sqrt 2 + sqrt(l) b (1, -1)/sqrt 2, to 30 digits."""
    import mpmath as mp

    with mp.workdps(30):
        large, small = mp.sqrt(2 - mp.mpf(least)), mp.sqrt(mp.mpf(least))
        kink = mp.pi / 2 - mp.atan(small / large)  # there one code changes its sign
        steps = [mp.pi / 2 - small * mp.mpf(10) ** k for k in range(12) if small * mp.mpf(10) ** k < 0.1]

        def ratio(angle):
            first, second = large * mp.cos(angle), small * mp.sin(angle)
            return (abs(first + second) + abs(first - second)) / mp.sqrt(2 * (first**2 + second**2))

        mean = 2 / mp.pi * mp.quad(ratio, sorted([0, mp.pi / 4, kink, *steps, mp.pi / 2]))
        expected = float((mp.sqrt(2) - mean) / (mp.sqrt(2) - 1))
    root = np.array([[1, 1], [1, -1]]) * np.sqrt([(2 - least) / 2, least / 2])
    vae = LinearVAE(np.eye(2), root, np.eye(2), 1.0)
    found = room.hoyer_sparsity(GaussianCode.of(GenerativeModel(np.eye(2), 0.0), vae))
    assert found == pytest.approx(expected, abs=1e-12)


def test_hoyer_chance_level_of_very_many():
    """By Stirling's series, L Gamma(L/2)/(sqrt pi Gamma((L+1)/2)) = sqrt(2 L/pi) (1 + 1/(4 L) + ...)."""
    for size in (10**9, 2**53):
        expected = (1 - np.sqrt(2 / np.pi) * (1 + 0.25 / size)) / (1 - 1 / np.sqrt(size))
        assert room.hoyer_chance_level(size) == pytest.approx(expected, rel=1e-12)
