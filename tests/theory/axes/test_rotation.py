"""Rotating the latents: exactly flat with a full posterior, locked to the PCA axes with a diagonal one."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import minimize, minimize_scalar

from tests.cases import CASES, DISTINCT, TIED, orthogonal
from theory.axes import plane_rotation, rotate, rotation_curvature, rotation_energy, two_mode_rotation_energy
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms
from theory.partition import partition, partition_mask

NOISE, BETA = 0.4, 1.7
ANGLES = np.linspace(0, np.pi, 25)
FAMILIES = ("diagonal", [[0, 2], [1, 3]], [[0], [1, 2, 3]], "full")


def losses(decoder, posterior, covariance, noise=NOISE, beta=BETA):
    """Loss of a decoder with the best encoder: full, in the family, and full without what lies between its blocks."""
    latent_dim = decoder.shape[1]
    water_level = beta * noise
    precision = np.eye(latent_dim) + decoder.T @ decoder / water_level
    encoder, full = np.linalg.solve(precision, decoder.T) / water_level, np.linalg.inv(precision)
    groups = partition(posterior, latent_dim)
    mask = partition_mask(groups, latent_dim)
    best = np.zeros((latent_dim, latent_dim))
    for group in groups:
        best[np.ix_(group, group)] = np.linalg.inv(precision[np.ix_(group, group)])
    covariances = (full, best, np.where(mask, full, 0.0))
    return [elbo_terms(LinearVAE(decoder, encoder, (q + q.T) / 2, noise), covariance).loss(beta) for q in covariances]


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_energy_is_a_difference_of_losses(posterior):
    rng = np.random.default_rng(0)
    decoder, rotation = rng.standard_normal((5, 4)), orthogonal(4, rng)
    full, best, truncated = losses(decoder @ rotation.T, posterior, DISTINCT.covariance)
    energy = rotation_energy(decoder, NOISE, BETA, rotation, posterior=posterior)
    assert energy == pytest.approx(best - full, abs=1e-12)
    energy = rotation_energy(decoder, NOISE, BETA, rotation, posterior=posterior, encoder="truncated")
    assert energy == pytest.approx(truncated - full, abs=1e-12)
    # The value that the excess is counted from does not depend on the rotation.
    assert full == pytest.approx(losses(decoder, posterior, DISTINCT.covariance)[0], abs=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rotation_changes_nothing_that_counts(case):
    rng = np.random.default_rng(case.seed)
    size = (case.data_dim, case.latent_dim)
    root = rng.standard_normal((case.latent_dim, case.latent_dim))
    vae = LinearVAE(rng.standard_normal(size), rng.standard_normal(size[::-1]), root @ root.T, case.noise_variance)
    before, after = (elbo_terms(one, case.covariance) for one in (vae, rotate(vae, orthogonal(case.latent_dim, rng))))
    for part in ("distortion", "rate", "mutual_information", "aggregate_kl", "reconstruction"):
        assert getattr(after, part) == pytest.approx(getattr(before, part), rel=1e-10)
    assert abs(after.total_correlation - before.total_correlation) > 1e-4


def test_rotating_keeps_the_mean_and_undoes():
    rotation = orthogonal(2, np.random.default_rng(0))
    vae = LinearVAE(np.ones((3, 2)), np.ones((2, 3)), np.diag([0.5, 1.0]), 0.3, mean=[1.0, 2.0, 3.0])
    back = rotate(rotate(vae, rotation), rotation.T)
    for part in ("decoder", "encoder", "posterior_covariance", "mean"):
        np.testing.assert_allclose(getattr(back, part), getattr(vae, part), atol=1e-14)


@pytest.mark.parametrize("encoder", ["reoptimised", "truncated"])
def test_two_modes_in_closed_form(encoder):
    first, second = 3.0, 7.0
    decoder = np.diag(np.sqrt(np.array([first - 1, second - 1]) * BETA * NOISE))
    expected = [rotation_energy(decoder, NOISE, BETA, plane_rotation(2, angle), encoder=encoder) for angle in ANGLES]
    found = two_mode_rotation_energy(first, second, ANGLES, BETA, encoder=encoder)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert two_mode_rotation_energy(first, second, ANGLES[3], BETA, encoder=encoder) == found[3]


def test_at_the_optimum_the_precisions_are_the_eigenvalues_over_the_water_level():
    # Only one mode is above the water: the other latent has precision 1.
    covariance, beta, noise = np.diag([3.0, 0.5]), 1.2, 0.6
    best = optimum(covariance, 2, beta=beta, noise_variance=noise)
    rotation = plane_rotation(2, 0.4)
    full, diagonal, _ = losses(best.vae.decoder @ rotation.T, "diagonal", covariance, noise, beta)
    assert full == pytest.approx(best.loss, abs=1e-12)
    energy = two_mode_rotation_energy(3.0 / (beta * noise), 1.0, 0.4, beta)
    assert diagonal - best.loss == pytest.approx(energy, abs=1e-12)


def test_a_diagonal_posterior_locks_the_latents_to_the_principal_axes():
    best = optimum(DISTINCT.covariance, 2, beta=BETA, noise_variance=NOISE)

    def excess(angle):
        decoder = best.vae.decoder @ plane_rotation(2, angle).T
        return losses(decoder, "diagonal", DISTINCT.covariance)[1] - best.loss

    for near, axis in ((0.3, 0.0), (np.pi / 2 - 0.2, np.pi / 2)):
        found = minimize_scalar(excess, bounds=(near - 0.5, near + 0.5), method="bounded", options={"xatol": 1e-10})
        assert found.x == pytest.approx(axis, abs=1e-6)  # the minimum is quadratic: half the digits
        assert found.fun == pytest.approx(0, abs=1e-12)
    assert minimize_scalar(lambda angle: -excess(angle), bounds=(0.2, 1.4), method="bounded").x == pytest.approx(
        np.pi / 4, abs=1e-5
    )


def test_ties_are_flat():
    best = optimum(TIED.covariance, 2, beta=TIED.beta, noise_variance=TIED.noise_variance)
    for angle in ANGLES:
        decoder = best.vae.decoder @ plane_rotation(2, angle).T
        diagonal = losses(decoder, "diagonal", TIED.covariance, TIED.noise_variance, TIED.beta)[1]
        assert diagonal == pytest.approx(best.loss, abs=1e-12)
    np.testing.assert_array_equal(two_mode_rotation_energy(2.0, 2.0, ANGLES, BETA), 0)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
@pytest.mark.parametrize("encoder", ["reoptimised", "truncated"])
def test_curvature_at_the_principal_axes(posterior, encoder):
    """The energy along exp(h X), X antisymmetric in general position; fourth differences cancel the next order."""
    precisions = np.array([5.0, 3.0, 1.7, 1.0])
    decoder = np.diag(np.sqrt((precisions - 1) * BETA * NOISE))
    turn = np.random.default_rng(3).standard_normal((4, 4))
    turn -= turn.T

    def energy(step):
        return rotation_energy(decoder, NOISE, BETA, expm(step * turn), posterior=posterior, encoder=encoder)

    step = 2e-3
    found = (16 * (energy(step) + energy(-step)) - energy(2 * step) - energy(-2 * step)) / (12 * step**2)
    curvature = rotation_curvature(precisions, BETA, posterior=posterior)
    assert found == pytest.approx(np.sum(np.triu(curvature * turn**2)), rel=1e-6, abs=1e-9)  # differences
    np.testing.assert_array_equal(curvature, curvature.T)


def test_curvature_of_two_modes_and_at_ties():
    found = two_mode_rotation_energy(3.0, 7.0, 1e-4, BETA) / 1e-8 * 2
    assert rotation_curvature([3.0, 7.0], BETA)[0, 1] == pytest.approx(found, rel=1e-6)  # next order in the angle
    curvature = rotation_curvature([4.0, 2.0, 2.0, 1.0, 1.0], BETA)
    np.testing.assert_array_equal(curvature == 0, np.subtract.outer([4, 2, 2, 1, 1], [4, 2, 2, 1, 1]) == 0)
    assert rotation_curvature([], BETA).shape == (0, 0)


def test_only_signed_permutations_of_the_optimal_decoder_are_optimal():
    """With a learned diagonal Q an arbitrary orthogonal P in the decoder U diag(w) P^T is not optimal: it pays the gap.

    Targets y other than the inputs x, as in the setting of Wang & Ziyin (2022), whose Theorem 2 allows every P; encoder
    and Q are found again by a numerical search from the definition of the loss.
    """
    rng = np.random.default_rng(8)
    inputs, targets = DISTINCT.covariance[:3, :3], rng.standard_normal((4, 3))  # y = targets x + noise
    root = np.linalg.cholesky(inputs)
    left, zeta, _ = np.linalg.svd(targets @ root, full_matrices=False)
    latent_dim, level = 2, BETA * NOISE
    assert zeta[1] ** 2 > level
    weights = left[:, :latent_dim] * np.sqrt(zeta[:latent_dim] ** 2 - level)

    def least_loss(decoder):
        """min over V and log diag Q of (E|y - W z|^2 - const) / (2 s2) + beta rate."""

        def loss(parameters):
            encoder, posterior = parameters[:6].reshape(2, 3), np.diag(np.exp(parameters[6:]))
            code = encoder @ inputs @ encoder.T + posterior
            distortion = -2 * np.trace(decoder.T @ targets @ inputs @ encoder.T) + np.sum(decoder * (decoder @ code))
            rate = (np.trace(code) - latent_dim - parameters[6:].sum()) / 2
            return distortion / (2 * NOISE) + BETA * rate

        return minimize(loss, np.zeros(8), method="BFGS", options={"gtol": 1e-8}).fun

    optimal = least_loss(weights)
    # The decoder is optimal: no nearby decoder is better.
    for _ in range(5):
        assert least_loss(weights + 0.05 * rng.standard_normal(weights.shape)) > optimal
    signed_permutation = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert least_loss(weights @ signed_permutation.T) == pytest.approx(optimal, abs=1e-9)  # the search's accuracy
    for angle in (0.1, 0.7, 2.0):
        excess = least_loss(weights @ plane_rotation(2, angle).T) - optimal
        precisions = zeta[:latent_dim] ** 2 / level
        assert excess > 1e-3
        assert excess == pytest.approx(two_mode_rotation_energy(*precisions, angle, BETA), abs=1e-9)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(latent_dim=st.integers(1, 5), seed=st.integers(0, 1000), beta=st.floats(0.1, 10))
def test_energies_are_ordered(latent_dim, seed, beta):
    rng = np.random.default_rng(seed)
    decoder, rotation = rng.standard_normal((4, latent_dim)), orthogonal(latent_dim, rng)
    best, truncated = (
        rotation_energy(decoder, 0.5, beta, rotation, encoder=encoder) for encoder in ("reoptimised", "truncated")
    )
    assert 0 <= best <= truncated + 1e-12
    assert rotation_energy(decoder, 0.5, beta, rotation, posterior="full") == 0


def in_high_precision(decoder, level, rotation, posterior, encoder="truncated"):
    """Half the energy's bracket by its definition, at 60 digits, for the orthogonal matrix next to R."""
    size = len(rotation)
    with mp.workdps(60):
        turn, weights = mp.matrix(rotation.tolist()), mp.matrix(decoder.tolist())
        for _ in range(6):  # Newton's iteration, which squares the deviation from orthogonality
            turn = turn * (3 * mp.eye(size) - turn.T * turn) / 2
        precision = turn * (mp.eye(size) + weights.T * weights / mp.mpf(level)) * turn.T
        covariance = precision**-1
        truncated = encoder == "truncated"
        total = mp.log(mp.det(covariance)) - size * truncated
        for group in partition(posterior, size):
            blocks = [mp.matrix([[m[int(i), int(j)] for j in group] for i in group]) for m in (precision, covariance)]
            product = blocks[0] * blocks[1]
            spread = sum(product[i, i] for i in range(len(group))) - mp.log(mp.det(blocks[1]))
            total += spread if truncated else mp.log(mp.det(blocks[0]))
        return float(total / 2)


@pytest.mark.parametrize("posterior", ["diagonal", [[0], [1, 2]], [[0, 2], [1]]], ids=str)
@pytest.mark.parametrize("angle", [1e-7, 1e-3, 0.5])
def test_truncated_energy_of_precisions_that_span_twelve_decades(posterior, angle):
    # An inverse of such a precision has four digits left.
    level, basis = 0.3, orthogonal(4, np.random.default_rng(9))[:, :3]
    decoder = basis * np.sqrt(level * np.array([1e12, 1e5, 2.0]))
    rotation = plane_rotation(3, angle, 0, 1) @ plane_rotation(3, angle, 1, 2)
    expected = 1.7 * in_high_precision(decoder, level, rotation, posterior)
    found = rotation_energy(decoder, level / 1.7, 1.7, rotation, posterior=posterior, encoder="truncated")
    # What rounding of the decoder itself, 1e-16 of its largest entry, does to a rotation by `angle`.
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("encoder", ["reoptimised", "truncated"])
@pytest.mark.parametrize("posterior", ["diagonal", [[0, 1], [2]]], ids=str)
@pytest.mark.parametrize(
    ("decoder", "accuracy"),
    [
        (np.diag([1.0, 1 + 2e-6, 1 + 5e-6]), 1e-8),  # rounding of the modes, 1e-16, over their differences
        (np.diag([1e-6, 2e-6, 5e-6]), 1e-12),  # energies of 1e-24
        (np.diag([1e-4, 1e4, 1e-3]), 1e-12),
    ],
)
def test_small_energies_have_all_their_digits(encoder, posterior, decoder, accuracy):
    rotation = plane_rotation(3, 0.7, 0, 1) @ plane_rotation(3, 1e-3, 1, 2) @ plane_rotation(3, 0.2, 0, 2)
    found = rotation_energy(decoder, 1.0, 1.0, rotation, posterior=posterior, encoder=encoder)
    expected = in_high_precision(decoder, 1.0, rotation, posterior, encoder)
    assert found == pytest.approx(expected, rel=accuracy, abs=0)


@pytest.mark.parametrize("encoder", ["reoptimised", "truncated"])
@pytest.mark.parametrize("largest", [1e6, 1e8, 1e10])
def test_small_energies_of_groups_whose_own_precisions_span_many_decades(encoder, largest):
    """What the group loses to the third latent is small; its block alone is singular to rounding."""
    decoder, tilt = np.diag([largest, 1.0, 2.0]), plane_rotation(3, 1e-3 / largest, 0, 2)
    rotation = tilt @ plane_rotation(3, 0.7, 0, 1)
    found = rotation_energy(decoder, 1.0, 1.0, rotation, posterior=[[0, 1], [2]], encoder=encoder)
    expected = in_high_precision(decoder, 1.0, rotation, [[0, 1], [2]], encoder)
    # An angle of 1e-13 is known to three digits where the rotation's entries are rounded at 1e-16.
    assert found == pytest.approx(expected, rel=1e-16 * largest / 1e-3, abs=0)


@pytest.mark.parametrize("ratio", [1e12, 1e30])
def test_two_ways_to_the_truncated_energy_of_distant_precisions(ratio):
    decoder = np.diag([np.sqrt(ratio - 1), 0.0])
    for angle in (1e-8, 1e-3, 0.8):
        found = rotation_energy(decoder, 1.0, 1.0, plane_rotation(2, angle), encoder="truncated")
        expected = two_mode_rotation_energy(ratio, 1.0, angle, 1.0, encoder="truncated")
        assert found == pytest.approx(expected, rel=1e-10)


def test_two_modes_of_any_size():
    # Only the ratio of the precisions counts, and the angle modulo half a turn.
    expected = two_mode_rotation_energy(3.0, 1.0, 0.4, 1.0)
    for unit in (1e-300, 1e300):
        assert two_mode_rotation_energy(3 * unit, unit, 0.4, 1.0) == pytest.approx(expected, rel=1e-13)
        assert rotation_curvature([3 * unit, unit], 1.0)[0, 1] == pytest.approx(4 / 3, rel=1e-13)
    assert np.isfinite(two_mode_rotation_energy(3.0, 1.0, 1e308, 1.0))


def test_a_rotation_is_taken_as_the_orthogonal_matrix_next_to_it():
    rotation, decoder = plane_rotation(2, 0.3), np.diag([1e6, 1.0])
    exact = rotation_energy(decoder, 1.0, 1.0, rotation, encoder="truncated")
    assert rotation_energy(decoder, 1.0, 1.0, rotation * (1 + 3e-9), encoder="truncated") == pytest.approx(exact)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rotate(None, np.eye(2)), "vae must be a LinearVAE, got None"),
        (
            lambda: rotation_energy(1e200 * np.eye(2), 1.0, 1.0, np.eye(2)),
            "decoder.2 prior_variance .* must",
        ),
        (lambda: rotation_energy(np.eye(2), 1e-200, 1e-200, np.eye(2)), "beta . noise_variance / prior_variance must"),
        (lambda: two_mode_rotation_energy(1e300, 1e-300, 0.1, 1.0), "precision_1 / precision_2 must be smaller"),
        (lambda: two_mode_rotation_energy(3.0, 1.0, [0.1, np.inf], 1.0), "angle must be finite"),
        (lambda: two_mode_rotation_energy(3.0, 1.0, 1 + 1j, 1.0), "angle must be real"),
        (lambda: rotation_curvature([1e300, 1e-300], 1.0), "precisions must be smaller"),
        (lambda: rotation_energy(np.eye(2), 1.0, 1.0, 2 * np.eye(2)), "rotation must be orthogonal"),
        (lambda: rotation_energy(np.eye(2), 1.0, 1.0, np.eye(3)), "rotation must be 2 x 2"),
        (lambda: rotation_energy(np.eye(2), 0.0, 1.0, np.eye(2)), "noise_variance must be > 0"),
        (lambda: rotation_energy(np.eye(2), 1.0, 1.0, np.eye(2), encoder="old"), "encoder must be one of"),
        (lambda: rotation_energy(np.eye(2), 1.0, 1.0, np.eye(2), posterior=[[0]]), "misses latents"),
        (lambda: rotation_curvature([1.0, 0.0], 1.0), "precisions must be > 0"),
        (lambda: rotation_curvature([1.0, 2.0], 0.0), "beta must be > 0"),
        (lambda: two_mode_rotation_energy(0.0, 1.0, 0.1, 1.0), "precision_1 must be > 0"),
        (lambda: two_mode_rotation_energy(1.0, 1.0, 0.1, 1.0, encoder="old"), "encoder must be one of"),
    ],
)
def test_misuse_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_posterior_that_a_rotation_makes_singular_blames_the_rotation():
    vae = LinearVAE(np.eye(2), np.eye(2) / 2, np.diag([1.0, 1e-20]), 0.1)
    assert rotate(vae, np.eye(2)[::-1]).posterior_covariance[0, 0] == 1e-20
    with pytest.raises(ValueError, match="rotation must not mix latents"):
        rotate(vae, plane_rotation(2, 0.5))
