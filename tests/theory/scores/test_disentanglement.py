"""Disentanglement scores in closed form: contracts, and the sampled versions by scikit-learn's tools."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.sampling.scores import sample_scores
from tests.cases import orthogonal
from tests.theory.scores.codes import linear
from theory import scores as room
from theory.inference import optimal_encoder
from theory.model import GenerativeModel, LinearVAE
from theory.scores.gaussian_code import GaussianCode

MIXED = linear([[1.0, 0.3, 0.0], [-0.2, 0.8, 0.4], [0.1, 0.0, 0.5], [0.5, 0.5, -0.5]], 0.2)
CORRELATED = linear([[1.0, 0.3], [-0.2, 0.8], [0.7, 0.7]], 0.1, [[1.0, 0.4], [0.4, 2.0]])
SIGNED_PERMUTATION = [[0, -3.0, 0], [0.2, 0, 0], [0, 0, 1.5]]


@pytest.mark.parametrize("mixing", [np.eye(2), np.diag([1.0, 5.0, 0.01]), SIGNED_PERMUTATION], ids=str)
def test_a_signed_permutation_of_the_factors_has_the_highest_scores(mixing):
    found = room.scores(linear(mixing))
    best = (1, 1, 1, 1, 1, 1, 1, 0, room.hoyer_chance_level(len(mixing)))
    assert astuple(found) == pytest.approx(best, abs=1e-12)


def test_an_independent_code_has_the_lowest_scores():
    code = GaussianCode(np.eye(3), np.diag([1.0, 2.0, 0.5]), np.zeros((3, 3)))
    assert astuple(room.scores(code)) == pytest.approx((*[0] * 8, room.hoyer_chance_level(3)), abs=1e-12)


def test_a_duplicated_code_is_complete_in_no_factor():
    found = room.scores(linear(np.kron(np.eye(2), [[1.0], [1.0]])))
    assert (found.mutual_information_gap, found.continuous_gap, found.sap) == (0, 0, 0)
    assert (found.disentanglement, found.informativeness) == (pytest.approx(1), pytest.approx(1))
    assert found.completeness == pytest.approx(1 - np.log(2) / np.log(4))
    assert found.mean_correlation == 1
    assert found.total_correlation == np.inf
    nearly = room.scores(linear(np.kron(np.eye(2), [[1.0], [1.0]]), 0.1))
    assert nearly.mutual_information_gap == pytest.approx(0, abs=1e-12)


def test_a_code_of_everything_is_disentangled_in_nothing():
    found = room.scores(linear([[1.0, 1.0], [1.0, -1.0]]))
    assert found.disentanglement == pytest.approx(0, abs=1e-12)
    assert found.completeness == pytest.approx(0, abs=1e-12)
    assert found.informativeness == pytest.approx(1)
    assert found.mean_correlation == pytest.approx(np.sqrt(0.5))
    assert found.mutual_information_gap == pytest.approx(0, abs=1e-12)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(factors=st.integers(1, 4), codes=st.integers(1, 4), seed=st.integers(0, 1000))
def test_sign_permutation_and_scale_do_not_matter(factors, codes, seed):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((codes, factors))
    before = room.scores(linear(mixing, 0.3))
    for value in astuple(before)[:7]:
        assert -1e-12 <= value <= 1 + 1e-12
    turn = (np.eye(codes)[rng.permutation(codes)].T * rng.choice([-1, 1], codes) * rng.uniform(0.1, 9, codes)).T
    code = linear(mixing, 0.3)
    moved = GaussianCode(code.factor_covariance, turn @ code.code_covariance @ turn.T, code.cross_covariance @ turn.T)
    assert astuple(room.scores(moved)) == pytest.approx(astuple(before), abs=1e-9, nan_ok=True)
    flip = np.eye(factors)[rng.permutation(factors)] * rng.choice([-2, 0.3], factors)
    moved = GaussianCode(flip @ code.factor_covariance @ flip.T, code.code_covariance, flip @ code.cross_covariance)
    assert astuple(room.scores(moved)) == pytest.approx(astuple(before), abs=1e-9, nan_ok=True)


def draws(code, count, seed):
    joint = np.block([[code.factor_covariance, code.cross_covariance], [code.cross_covariance.T, code.code_covariance]])
    values = np.random.default_rng(seed).multivariate_normal(np.zeros(len(joint)), joint, count, method="eigh")
    return values[:, : len(code.factor_covariance)], values[:, len(code.factor_covariance) :]


@pytest.mark.parametrize("code", [MIXED, CORRELATED], ids=["independent", "correlated"])
def test_sampled_scores_agree(code):
    exact = np.array(astuple(room.scores(code)))
    repeats, count = 10, 20_000
    found = np.array([astuple(sample_scores(*draws(code, count, seed))) for seed in range(repeats)])
    error = found.std(axis=0, ddof=1) / np.sqrt(repeats)
    # Binned information is biased upward by at most (cells - rows - columns + 1) / 2n, other scores by O(1/n).
    bias = np.array([19**2 / (2 * count), *[20 / count] * 8])
    assert np.all(np.abs(found.mean(axis=0) - exact) < 5 * error + bias)
    # A score of another code would not pass.
    other = np.array(astuple(room.scores(linear(np.eye(3), 0.3))))
    assert np.all(np.abs(found.mean(axis=0) - other)[:7] > 5 * error[:7] + bias[:7])


def test_noise_in_the_code_costs():
    truth = GenerativeModel(np.diag([2.0, 1.0]), 0.1)
    vae = optimal_encoder(truth.loading, 0.1, 1.0)
    mean, sample = (room.scores(GaussianCode.of(truth, vae, code=code)) for code in ("mean", "sample"))
    assert mean.sap > sample.sap
    assert mean.mutual_information_gap > sample.mutual_information_gap
    assert mean.disentanglement == sample.disentanglement == pytest.approx(1)


def test_a_rotation_of_the_latents_lowers_every_score():
    angle = np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    straight, rotated = room.scores(linear(np.eye(2), 0.1)), room.scores(linear(turn, 0.1))
    for name in ("mutual_information_gap", "continuous_gap", "sap", "disentanglement", "completeness"):
        assert getattr(rotated, name) < getattr(straight, name) - 0.1
    assert rotated.informativeness == pytest.approx(straight.informativeness, abs=1e-12)


def test_what_does_not_vary():
    collapsed = linear([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    found = room.scores(collapsed)
    assert astuple(found)[:8] == pytest.approx((1, 1, 1, 1, 1, 1, 1, 0), abs=1e-12)
    constant = GaussianCode(np.diag([1.0, 0.0]), np.eye(2), [[1.0, 0.0], [0.0, 0.0]])
    assert room.mutual_information_matrix(constant).shape == (1, 2)
    assert room.mean_correlation(constant) == 1
    nothing = room.scores(GaussianCode(np.zeros((2, 2)), np.eye(2), np.zeros((2, 2))))
    assert np.isnan(astuple(nothing)[:7]).all()
    nothing = room.scores(GaussianCode(np.eye(2), np.zeros((0, 0)), np.zeros((2, 0))))
    assert astuple(nothing) == pytest.approx((*[0] * 8, np.nan), nan_ok=True)
    silent = room.scores(GaussianCode(np.eye(2), np.zeros((2, 2)), np.zeros((2, 2))))
    assert astuple(silent) == pytest.approx((*[0] * 8, np.nan), nan_ok=True)


def test_a_nearly_singular_code_keeps_its_total_correlation():
    """Codes s and s + 1e-12 n: 1 - r^2 = 1e-24 is lost in their covariance, and kept where they were made.

    -log(e^2/(1 + e^2))/2 = 27.6 nats at e = 1e-12; at e = 1e-20 no number of this kind can tell them apart.
    """
    for size, expected in ((1e-3, -np.log(1e-6 / (1 + 1e-6)) / 2), (1e-12, 12 * np.log(10)), (1e-20, np.inf)):
        vae = LinearVAE(np.eye(2), [[1, 0], [1, size]], np.eye(2), 1.0)
        found = room.total_correlation(GaussianCode.of(GenerativeModel(np.eye(2), 0.0), vae))
        assert found == pytest.approx(expected, rel=1e-5)
    # A sample of q(z|x) always varies in every direction: W = 0 here, and correlations of the means are 1.
    vae = LinearVAE(np.zeros((1, 2)), [[1.0], [1.0]], 1e-20 * np.eye(2), 1.0)
    code = GaussianCode.of(GenerativeModel([[1.0]], 0.0), vae, code="sample")
    assert room.total_correlation(code) == pytest.approx(-np.log(2e-20) / 2, rel=1e-9)


def test_completeness_rises_with_dead_codes():
    """Importances of a code that is constant are zero, and its number enters the base of the logarithm alone."""
    mixing = np.array([[1.0, 0.3, 0.1], [0.2, 1.0, 0.1], [0.0, 0.2, 1.0]])
    alive = 1 - room.dci(linear(mixing)).completeness
    for dead in (2, 20, 200):
        found = room.dci(linear(np.vstack([mixing, np.zeros((dead, 3))])))
        assert 1 - found.completeness == pytest.approx(alive * np.log(3) / np.log(3 + dead), rel=1e-12)


def test_units_of_the_code_do_not_matter():
    truth = GenerativeModel(np.diag([1.0, 2.0]), 0.1)
    vae = optimal_encoder(truth.loading @ [[1, 0.4], [0.1, 1]], 0.1, 1.0)
    before = astuple(room.scores(GaussianCode.of(truth, vae)))
    for size in (1e-40, 1e40):
        scaled = LinearVAE(vae.decoder / size, vae.encoder * size, np.eye(2), 0.1)
        assert astuple(room.scores(GaussianCode.of(truth, scaled))) == pytest.approx(before, rel=1e-9)
        moved = GaussianCode(np.eye(2) * size, np.eye(2) * size, 0.6 * np.eye(2) * size)
        assert room.sap(moved) == pytest.approx(0.36)


def test_fewer_codes_than_factors():
    found = room.scores(linear([[1.0, 0.0]]))
    assert found.mean_correlation == 0.5
    assert found.sap == 0.5
    assert (found.disentanglement, found.completeness, found.informativeness) == (1, 1, 0.5)
    assert np.isnan(found.hoyer_sparsity)


def test_informativeness_is_what_any_invertible_code_keeps():
    rotated = room.dci(linear(orthogonal(3, np.random.default_rng(0)) @ np.diag([3.0, 2.0, 1.0])))
    assert rotated.informativeness == pytest.approx(1)
    assert rotated.disentanglement < 0.9


def test_shares_are_never_below_zero():
    """All codes see one direction, so that each knows every factor in equal shares, whose entropy is the largest."""
    for count in range(2, 12):
        loading = np.arange(1.0, count + 1)[np.newaxis] / 3
        code = GaussianCode.of(GenerativeModel(loading, 0.3), optimal_encoder(loading, 0.3, 1.2))
        found = room.dci(code)
        assert found.disentanglement >= 0 and 0 <= found.completeness < 1
