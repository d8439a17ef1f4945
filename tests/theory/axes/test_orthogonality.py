"""Distance to orthogonality: against all signed permutations, at ties, and its chance level."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from tests.cases import DISTINCT, TIED, orthogonal
from theory.axes import (
    distance_to_orthogonality,
    orthogonality_chance_level,
    orthogonality_distribution,
    plane_rotation,
)
from theory.axes.orthogonality import distances_to_orthogonality
from theory.learning import optimum


def signed_permutations(size):
    for order in permutations(range(size)):
        for signs in product((1.0, -1.0), repeat=size):
            yield np.eye(size)[:, list(order)] * np.array(signs)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_nearest_of_all_signed_permutations(size):
    rng = np.random.default_rng(size)
    for _ in range(5):
        decoder = rng.standard_normal((5, size))
        right = np.linalg.svd(decoder)[2].T
        found = distance_to_orthogonality(decoder)
        every = [np.linalg.norm(right - matrix) for matrix in signed_permutations(size)]
        assert found.distance == pytest.approx(min(every), abs=1e-12)
        assert np.linalg.norm(found.right_singular - found.nearest) == found.distance
        np.testing.assert_allclose(found.nearest @ found.nearest.T, np.eye(size))
        rebuilt = found.right_singular * found.singular_values**2 @ found.right_singular.T
        np.testing.assert_allclose(rebuilt, decoder.T @ decoder, atol=1e-12)
        assert not found.tied.any()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(size=st.integers(1, 6), seed=st.integers(0, 1000))
def test_zero_for_orthogonal_columns_only(size, seed):
    rng = np.random.default_rng(seed)
    columns = orthogonal(6, rng)[:, :size]
    lengths = np.round(rng.uniform(1, 3, size))  # with ties
    assert distance_to_orthogonality(columns * lengths).distance == pytest.approx(0, abs=1e-6)
    if size > 1:
        skewed = columns @ np.diag(np.arange(1.0, size + 1)) @ plane_rotation(size, 0.1).T
        assert distance_to_orthogonality(skewed).distance == pytest.approx(2 * np.sqrt(2) * np.sin(0.05), abs=1e-10)
    assert distance_to_orthogonality(rng.standard_normal((7, size))).distance <= np.sqrt(2 * (size - np.sqrt(size)))


def test_the_bound_is_reached_by_a_hadamard_matrix():
    hadamard = np.kron([[1, 1], [1, -1]], [[1, 1], [1, -1]]) / 2
    found = distance_to_orthogonality(np.diag([4.0, 3.0, 2.0, 1.0]) @ hadamard.T)
    assert found.distance == pytest.approx(np.sqrt(2 * (4 - 2)), abs=1e-12)


@pytest.mark.parametrize("shape", [(3, 2), (5, 4), (2, 3), (1, 1), (3, 0)], ids=str)
def test_a_stack_at_once_and_one_by_one(shape):
    rng = np.random.default_rng(8)
    decoders = rng.standard_normal((30, *shape)) * np.geomspace(1e-9, 1e9, 30)[:, np.newaxis, np.newaxis]
    decoders[3] = 0.0
    decoders[4, :, :1] = 0.0  # a latent that is not used
    decoders[5] = np.eye(*shape)  # all singular values tie
    decoders[6] = np.eye(*shape) + 1e-4 * decoders[0]
    for tie in (1e-8, 1e-3):
        expected = [distance_to_orthogonality(decoder, tie=tie).distance for decoder in decoders]
        np.testing.assert_allclose(distances_to_orthogonality(decoders, tie=tie), expected, rtol=1e-14, atol=1e-14)


def test_invariant_under_rotations_of_the_data_and_signed_permutations_of_the_latents():
    rng = np.random.default_rng(3)
    decoder = rng.standard_normal((4, 3))
    distance = distance_to_orthogonality(decoder).distance
    rotated = 2.5 * orthogonal(4, rng) @ decoder @ (np.eye(3)[:, [2, 0, 1]] * np.array([1, -1, -1]))
    assert distance_to_orthogonality(rotated).distance == pytest.approx(distance, abs=1e-12)
    assert abs(distance_to_orthogonality(decoder @ plane_rotation(3, 0.3)).distance - distance) > 0.01


def test_ties_do_not_depend_on_the_basis():
    rng = np.random.default_rng(4)
    right = orthogonal(4, rng)
    for turn in (0.0, 0.4, 1.1):
        basis = right @ plane_rotation(4, turn, 1, 2)
        # The same decoder up to rounding, by two singular vectors that are free within a tie.
        decoder = orthogonal(5, np.random.default_rng(0))[:, :4] @ plane_rotation(4, turn, 1, 2)
        found = distance_to_orthogonality(decoder * [3.0, 2.0, 2.0, 1.0] @ basis.T)
        np.testing.assert_array_equal(found.tied, [False, True, True, False])
        if turn == 0.0:
            first = found.distance
        assert found.distance == pytest.approx(first, abs=1e-7)  # vectors are known to rounding over the gap
    # Turned to the best place within the tie: no other angle is nearer.
    others = [np.linalg.norm(found.right_singular @ plane_rotation(4, a, 1, 2) - found.nearest) for a in (-0.01, 0.01)]
    assert found.distance < min(others)
    assert found.distance > 0.1


def test_ties_of_three_do_not_depend_on_the_basis():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gram_root = np.diag([2.0, 2.0, 2.0, 1.0, 0.5]) @ orthogonal(5, rng).T
        found = [distance_to_orthogonality(orthogonal(5, rng) @ gram_root) for _ in range(3)]
        assert found[0].tied.tolist() == [True, True, True, False, False]
        assert found[1].distance == pytest.approx(found[0].distance, abs=1e-7)
        assert found[2].distance == pytest.approx(found[0].distance, abs=1e-7)


def test_tied_optimum_is_orthogonal_however_it_is_turned():
    best = optimum(TIED.covariance, 2, beta=TIED.beta, noise_variance=TIED.noise_variance)
    rotated = best.vae.decoder @ plane_rotation(2, 0.7).T
    assert distance_to_orthogonality(rotated).distance == pytest.approx(0, abs=1e-7)
    assert distance_to_orthogonality(rotated).tied.all()
    best = optimum(DISTINCT.covariance, 2, beta=DISTINCT.beta, noise_variance=DISTINCT.noise_variance)
    assert distance_to_orthogonality(best.vae.decoder).distance == pytest.approx(0, abs=1e-10)
    rotated = best.vae.decoder @ plane_rotation(2, 0.7).T
    assert distance_to_orthogonality(rotated).distance == pytest.approx(2 * np.sqrt(2) * np.sin(0.35), abs=1e-10)


def test_inactive_latents_are_left_out():
    rng = np.random.default_rng(5)
    decoder = rng.standard_normal((4, 2))
    padded = np.insert(decoder, 1, 0.0, axis=1)
    found = distance_to_orthogonality(padded)
    np.testing.assert_array_equal(found.active, [True, False, True])
    assert found.distance == distance_to_orthogonality(decoder).distance
    assert distance_to_orthogonality(padded, active=[True, False, False]).distance == 0
    # A latent without weights that is counted none the less is an axis of its own.
    everything = distance_to_orthogonality(padded, active=[True, True, True])
    assert everything.distance == pytest.approx(found.distance, abs=1e-12)


def test_more_latents_than_data_dimensions():
    found = distance_to_orthogonality(np.array([[1.0, 1.0, 1.0]]))
    np.testing.assert_array_equal(found.singular_values, [np.sqrt(3), 0, 0])
    np.testing.assert_array_equal(found.tied, [False, True, True])
    assert found.distance > 0.5
    assert distance_to_orthogonality(np.zeros((3, 2))).distance == 0
    assert distance_to_orthogonality(np.zeros((3, 0))).distance == 0
    assert distance_to_orthogonality(np.zeros((0, 2)), active=[True, True]).distance == 0


def test_chance_level_of_two_latents():
    found = orthogonality_chance_level(2)
    distance = np.vectorize(
        lambda angle: distance_to_orthogonality(np.diag([2, 1]) @ plane_rotation(2, angle)).distance
    )
    pieces = [(i * np.pi / 4, (i + 1) * np.pi / 4) for i in range(8)]  # it has corners there
    mean = sum(quad(distance, *piece)[0] for piece in pieces) / (2 * np.pi)
    square = sum(quad(lambda a: distance(a) ** 2, *piece)[0] for piece in pieces) / (2 * np.pi)
    assert found.mean == pytest.approx(mean, abs=1e-10)
    assert found.standard_deviation == pytest.approx(np.sqrt(square - mean**2), abs=1e-10)
    assert (round(found.mean, 3), round(found.standard_deviation, 3)) == (0.548, 0.313)


def test_the_distribution_has_the_moments_of_the_chance_level():
    """Its mean and mean square by integration of 1 - P and of 2 d (1 - P), its values against draws."""
    largest, level = 2 * np.sqrt(2) * np.sin(np.pi / 8), orthogonality_chance_level(2)
    mean = quad(lambda d: 1 - orthogonality_distribution(d), 0, largest)[0]
    square = quad(lambda d: 2 * d * (1 - orthogonality_distribution(d)), 0, largest)[0]
    assert mean == pytest.approx(level.mean, abs=1e-12)
    assert np.sqrt(square - mean**2) == pytest.approx(level.standard_deviation, abs=1e-10)
    assert orthogonality_distribution(largest) == 1 == orthogonality_distribution(1e300)
    rng = np.random.default_rng(8)
    drawn = np.array([distance_to_orthogonality(np.diag([2, 1]) @ orthogonal(2, rng)).distance for _ in range(2000)])
    places = np.array([0.1, 0.5, 0.9])
    shares = np.mean(drawn[:, np.newaxis] <= places, axis=0)
    np.testing.assert_allclose(shares, orthogonality_distribution(places), rtol=0, atol=5 * 0.5 / np.sqrt(2000))


def test_chance_level_by_sampling():
    found = orthogonality_chance_level(3, samples=2000, rng=np.random.default_rng(6))
    rng = np.random.default_rng(7)
    drawn = [distance_to_orthogonality(np.diag([3, 2, 1]) @ orthogonal(3, rng)).distance for _ in range(2000)]
    error = np.hypot(found.standard_error, np.std(drawn) / np.sqrt(2000))
    assert abs(found.mean - np.mean(drawn)) < 5 * error
    assert found.standard_deviation == pytest.approx(np.std(drawn), rel=0.1)
    assert found.mean > 0.548 + 10 * error  # two latents would not do
    assert orthogonality_chance_level(1).mean == orthogonality_chance_level(0).mean == 0


@pytest.mark.parametrize("unit", [1e-310, 1e-160, 1e160, 1e307])
def test_the_distance_does_not_depend_on_units(unit):
    decoder = np.random.default_rng(4).standard_normal((3, 2))
    expected = distance_to_orthogonality(decoder)
    found = distance_to_orthogonality(unit * decoder)
    assert found.distance == pytest.approx(expected.distance, abs=1e-3 if unit < 1e-308 else 1e-12)  # few digits left
    assert found.singular_values[0] / unit == pytest.approx(expected.singular_values[0], rel=1e-3)


def test_the_chance_level_takes_a_seed():
    assert orthogonality_chance_level(3, samples=50, rng=7) == orthogonality_chance_level(
        3, samples=50, rng=np.random.default_rng(7)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_to_orthogonality(np.eye(2), active=[1, 0]), "active must be a boolean array of length 2"),
        (lambda: distance_to_orthogonality(np.eye(2), active=[True]), "active must be a boolean array of length 2"),
        (lambda: distance_to_orthogonality([1.0, 2.0]), "decoder must be a matrix"),
        (lambda: orthogonality_chance_level(3), "rng must be a numpy.random.Generator"),
        (lambda: orthogonality_chance_level(3, samples=1, rng=np.random.default_rng(0)), "samples must be >= 2"),
        (lambda: orthogonality_chance_level(2, rng="0"), "rng must be a numpy.random.Generator or a seed"),
        (lambda: orthogonality_chance_level(2, samples=True), "samples must be a whole number"),
        (lambda: orthogonality_chance_level(1000, samples=10**6, rng=0), "samples = 1000000 needs 7.45e.03 GiB"),
        (lambda: distance_to_orthogonality(np.eye(2), active=[1, 0]), "active must be a boolean array of length 2"),
        (lambda: distance_to_orthogonality(np.eye(2), active=np.ma.array([True, True], mask=[0, 1])), "active must be"),
        (lambda: orthogonality_chance_level(-1), "latent_dim must be >= 0"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
