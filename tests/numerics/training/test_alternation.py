"""Exact alternation: no round raises the loss, and rotations to the axes lose nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import numerics.training.problem
from numerics import train
from numerics.kernels.descent import Limits
from numerics.training import alternation as em
from numerics.training import halves
from numerics.training.problem import training_problem
from tests.cases import CASES, DISTINCT, ILL_CONDITIONED, ISOTROPIC, ONE_DOMINANT, RANK_DEFICIENT, TIED
from tests.numerics.training.helpers import BETA, FAMILIES, LATENT_DIM
from theory import elbo_terms, optimal_encoder, optimum
from theory.groups import Weights
from theory.model import LinearVAE

METHODS = ("em", "rotated_em", "accelerated_em")
STARTING_GAP = 0.05


def family(name, latent_dim):
    """The family by name for any number of latents: groups are even and odd ones."""
    if name != "groups":
        return name
    return [list(range(first, latent_dim, 2)) for first in (0, 1)]


@pytest.mark.parametrize("noise_variance", [0.4, "learned"])
@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", [DISTINCT, TIED, ILL_CONDITIONED], ids=str)
def test_no_round_raises_the_loss(case, method, posterior, noise_variance):
    """But for the one jump of the perturbation that tests the stop."""
    for seed in range(3):
        run = train(
            case.covariance, 4, beta=BETA, noise_variance=noise_variance, posterior=posterior, method=method,
            max_steps=400, rng=np.random.default_rng(seed),
        )  # fmt: skip
        rises = np.diff(run.history)
        rounding = 1e-13 * (1 + np.abs(run.loss) + case.eigenvalues[0] / run.vae.noise_variance)
        assert run.history[0] - run.history[1] > STARTING_GAP
        assert np.count_nonzero(rises > rounding) <= 1


@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
def test_a_turn_to_the_principal_axes_never_raises_the_loss_of_the_best_encoder(posterior):
    """And lowers it to that of the full family, whatever the family."""
    rng, gains = np.random.default_rng(5), []
    for _ in range(20):
        decoder = rng.standard_normal((5, 4))
        axes = np.linalg.svd(decoder)[2]
        before = elbo_terms(optimal_encoder(decoder, 0.6, BETA, posterior=posterior), DISTINCT.covariance).loss(BETA)
        rotated = optimal_encoder(decoder @ axes.T, 0.6, BETA, posterior=posterior)
        after = elbo_terms(rotated, DISTINCT.covariance).loss(BETA)
        full = elbo_terms(optimal_encoder(decoder, 0.6, BETA, posterior="full"), DISTINCT.covariance).loss(BETA)
        assert after == pytest.approx(full, abs=1e-11)
        gains.append(before - after)
    assert min(gains) > -1e-11
    assert posterior == "full" or min(gains) > 1e-2


def test_turning_once_at_the_end_is_turning_every_round():
    """Rounds in the data's own axes, in the diagonal family, with a rotation in each, against `train`."""
    problem = training_problem(DISTINCT.covariance, 3, "learned", None, "diagonal")
    vae = problem.vae(problem.start(np.random.default_rng(0)))
    covariance, losses = DISTINCT.covariance, []
    for _ in range(12):
        code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
        values, axes = np.linalg.eigh(code)
        decoder = covariance @ vae.encoder.T @ (axes / np.sqrt(values)) @ axes.T
        noise = (np.trace(covariance) - np.sum(decoder**2)) / 5
        decoder = decoder @ np.linalg.svd(decoder)[2].T
        precision = np.eye(3) + decoder.T @ decoder / (BETA * noise)
        np.testing.assert_allclose(precision, np.diag(np.diagonal(precision)), atol=1e-12)
        encoder = np.linalg.solve(precision, decoder.T) / (BETA * noise)
        vae = LinearVAE(decoder, encoder, np.diag(1 / np.diagonal(precision)), noise)
        losses.append(elbo_terms(vae, covariance).loss(BETA))
    run = train(covariance, 3, beta=BETA, method="rotated_em", max_steps=12)
    np.testing.assert_allclose(run.history[1:], losses, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.abs(run.vae.decoder), np.abs(vae.decoder), rtol=0, atol=1e-10)
    assert run.vae.belongs_to("diagonal")


@pytest.mark.parametrize("ratio", [0.9, 0.5, 0.1, 0.02])
def test_how_fast_an_amplitude_settles(ratio):
    """One mode of variance 1 at t = y: what is left of the error in a round is 1 - 2 y (1 - y), or y^2 expanded."""
    problem = training_problem(np.eye(1), 1, ratio / BETA, None, "diagonal")
    setting = halves.Setting(problem.standard_deviations, BETA, decoder_learned=True, noise_learned=False)
    amplitude, step = np.sqrt(1 - ratio), 1e-5 * ratio
    for expand, expected in ((False, 1 - 2 * ratio * (1 - ratio)), (True, ratio**2)):
        ends = []
        for start in (amplitude - step, amplitude + step):
            decoder = halves.Decoder(np.array([[start]]), np.log(ratio / BETA))
            encoder = halves.best_encoder(decoder, setting, em._stack(problem.family))
            ends.append(halves.best_decoder(encoder, setting, expand=expand).weights.item())
        assert np.mean(ends) == pytest.approx(amplitude, abs=1e-6)
        assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(expected, abs=1e-6)


def test_how_fast_the_subspace_turns():
    """By l_2 / l_1 in a round, so the loss falls by the square; with momentum the square root of the gap counts."""
    eigenvalues = np.array([1.0, 0.98, 0.5])
    best = optimum(np.diag(eigenvalues), 1, beta=1.0, noise_variance=0.2).loss
    gap = train(np.diag(eigenvalues), 1, beta=1.0, noise_variance=0.2, method="rotated_em").history - best
    middle = np.flatnonzero((gap < 1e-4) & (gap > 1e-8))
    assert gap[middle[1]] / gap[middle[0]] == pytest.approx(0.98**2, rel=1e-3)
    ahead = train(np.diag(eigenvalues), 1, beta=1.0, noise_variance=0.2, method="accelerated_em").history - best
    assert np.argmax(ahead < 1e-10) < np.argmax(gap < 1e-10) / 4


@pytest.mark.parametrize("noise_variance", ["fixed", "learned"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("method", ["rotated_em", "accelerated_em"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_reaches_the_global_optimum(case, method, name, noise_variance):
    noise, posterior = case.noise_variance if noise_variance == "fixed" else "learned", family(name, case.latent_dim)
    best = optimum(case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise, posterior=posterior)
    run = train(
        case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise, posterior=posterior, method=method
    )
    if case.critical_mode is not None and method == "rotated_em":
        # A latent at its threshold goes as one over the root of the rounds: a loss of 2e-10 is left after 20,000.
        assert run.stopped == "max_steps"
        assert 1e-10 < run.loss - best.loss < 1e-9
        return
    assert run.stopped == "gradient"
    assert run.gradient_norm <= 1e-8
    assert run.loss - best.loss == pytest.approx(0.0, abs=1e-10)
    assert run.loss == pytest.approx(elbo_terms(run.vae, case.covariance).loss(case.beta), abs=1e-11)
    assert run.vae.noise_variance == pytest.approx(best.noise_variance, rel=1e-5)
    if case is not ISOTROPIC:  # whose modes are all as good
        signal, expected = (vae.decoder @ vae.decoder.T for vae in (run.vae, best.vae))
        np.testing.assert_allclose(signal, expected, rtol=0, atol=1e-5 * case.eigenvalues[0])


def test_plain_alternation_reaches_easy_optima_and_says_when_it_has_not():
    for case in (DISTINCT, TIED, ONE_DOMINANT):
        best = optimum(case.covariance, case.latent_dim, beta=case.beta)
        for name in FAMILIES:
            posterior = family(name, case.latent_dim)
            run = train(case.covariance, case.latent_dim, beta=case.beta, posterior=posterior, method="em")
            assert run.stopped == "gradient"
            assert run.loss - best.loss == pytest.approx(0.0, abs=1e-10)
    case = ILL_CONDITIONED  # t / l_1 = .0005: amplitudes take thousands of rounds
    run = train(case.covariance, 2, beta=case.beta, noise_variance=case.noise_variance, method="em", max_steps=2000)
    assert run.stopped == "max_steps"
    assert run.gradient_norm > 1e-3


def test_many_latents_and_a_small_noise():
    """Where accelerated gradients run out of steps: 29 of 30 modes, ratio 1.3, beta .3 (noise 2e-5 of the variance)."""
    covariance = np.diag(3.0 * 1.3 ** -np.arange(30.0))
    best = optimum(covariance, 29, beta=0.3)
    for posterior in ("diagonal", "full"):
        run = train(covariance, 29, beta=0.3, posterior=posterior, method="accelerated_em")
        assert run.stopped == "gradient"
        assert run.steps < 300
        # Terms of 1 / s2 = 4e4 cancel in the loss: it is 1e-10 below the optimum, or above, by rounding.
        assert run.loss - best.loss == pytest.approx(0.0, abs=1e-9)
        assert run.vae.noise_variance == pytest.approx(best.noise_variance, rel=1e-8)


def test_momentum_is_dropped_where_it_points_uphill():
    """It would take 480 rounds instead of 310 if only a rise of the loss dropped it."""
    groups, place = np.divmod(np.arange(64), 4)
    eigenvalues = 0.99**place / (1.0 + groups)
    eigenvalues[16:] *= 0.99 * eigenvalues[15] / eigenvalues[16]
    run = train(np.diag(eigenvalues), 16, beta=1.0, method="accelerated_em")
    assert run.stopped == "gradient" and run.steps < 400
    assert run.loss - optimum(np.diag(eigenvalues), 16).loss == pytest.approx(0.0, abs=1e-10)


def test_momentum_does_not_carry_the_noise_past_the_floor():
    """The optimum is at 1.013e-6 of the variance, just above it."""
    run = train(np.diag([1.0, 1.52e-6]), 1, beta=0.5, method="accelerated_em")
    assert run.stopped == "gradient"
    assert run.vae.noise_variance == pytest.approx(1.52e-6 / 1.5, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_saddle_does_not_hold_it(method, monkeypatch):
    """From modes 1 and 3 instead of 1 and 2, where rounds alone stay."""
    eigenvalues, beta, noise = np.array([2.0, 1.0, 0.5, 0.3]), 1.0, 0.2
    problem = training_problem(np.diag(eigenvalues), 2, noise, None, "diagonal")
    decoder, chosen = np.zeros((4, 2)), eigenvalues[[0, 2]]
    decoder[[0, 2], [0, 1]] = np.sqrt((chosen - beta * noise) / problem.unit)
    encoder = decoder / np.sqrt(eigenvalues / problem.unit)[:, np.newaxis]
    triangle = np.diag(np.log(beta * noise / chosen) / 2)
    theta = np.concatenate([decoder.T.ravel(), encoder.T.ravel(), triangle.ravel(), [np.log(problem.noise)]])
    weights, flags = Weights.uniform(beta), {"rotate": method != "em", "accelerate": method == "accelerated_em"}
    best = optimum(np.diag(eigenvalues), 2, beta=beta, noise_variance=noise).loss - problem.loss_offset(weights)
    at_saddle, norm = problem.measure(theta, problem.objective(weights))
    assert norm < 1e-12 and at_saddle - best > 0.1
    history, start = np.empty(5001), theta.copy()
    steps, loss, norm, end = em.alternate(
        problem, theta, problem.objective(weights), Limits(0.01, 1e-8, 5000), history, **flags
    )
    assert end == em.descent.GRADIENT and norm <= 1e-8
    assert loss - best == pytest.approx(0.0, abs=1e-10)
    assert history[steps] == loss
    monkeypatch.setattr(numerics.training.problem, "PERTURBATION", 0.0)
    problem = dataclasses.replace(problem)  # one that has not drawn its perturbation yet
    _, loss, _, end = em.alternate(
        problem, start, problem.objective(weights), Limits(0.01, 1e-8, 5000), history, **flags
    )
    assert end == em.descent.GRADIENT and loss == pytest.approx(at_saddle, abs=1e-12)


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("eigenvalues", "latent_dim", "beta"),
    [
        ((3.0, 1.8, 0.9, 0.3), 4, 0.5),
        ((3.0, 1.8, 0.9, 0.3), 4, 1e-9),
        ((3.0, 1.8, 0.9, 0.3, 0.0, 0.0), 5, 1.0),
        ((0.0, 0.0, 0.0), 2, 1.0),
        ((0.0, 0.0, 0.0), 0, 1.0),
    ],
    ids=["K = D", "no rate", "K > rank", "no variance", "no variance, no latents"],
)
def test_noise_that_runs_to_zero_is_reported(eigenvalues, latent_dim, beta, method, posterior):
    run = train(np.diag(eigenvalues), latent_dim, beta=beta, posterior=posterior, method=method)
    assert run.stopped == "diverged"
    assert run.vae.noise_variance < 1e-6 * (max(eigenvalues) or 1.0)
    assert run.history[-1] < run.history[0] - 3


@pytest.mark.parametrize("method", METHODS)
def test_latents_that_carry_nothing(method):
    collapsed = train(DISTINCT.covariance, 3, beta=1.5, noise_variance=4.0, method=method)
    assert collapsed.stopped == "gradient"
    assert collapsed.loss == pytest.approx(np.trace(DISTINCT.covariance) / 8 + 2.5 * np.log(8 * np.pi), abs=1e-10)
    assert np.abs(collapsed.vae.decoder).max() < 1e-6
    none = train(DISTINCT.covariance, 0, beta=1.5, method=method)
    assert none.stopped == "gradient" and none.vae.decoder.shape == (5, 0)
    assert none.vae.noise_variance == pytest.approx(np.mean(DISTINCT.eigenvalues), rel=1e-14)
    still = train(np.zeros((3, 3)), 2, beta=1.0, noise_variance=0.5, method=method)
    assert still.stopped == "gradient" and still.loss == pytest.approx(1.5 * np.log(np.pi), abs=1e-12)
    many = train(DISTINCT.covariance, 7, beta=1.5, noise_variance=0.5, method=method)
    best = optimum(DISTINCT.covariance, 7, beta=1.5, noise_variance=0.5)
    assert many.stopped == "gradient" and many.loss - best.loss == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT], ids=str)
def test_a_fixed_decoder_gets_its_optimal_encoder(case, posterior):
    decoder = np.random.default_rng(4).standard_normal((case.data_dim, LATENT_DIM))
    options = {"beta": BETA, "decoder": decoder, "posterior": posterior}
    for noise in (0.3, "learned"):
        run = train(case.covariance, LATENT_DIM, noise_variance=noise, method="em", **options)
        other = train(case.covariance, LATENT_DIM, noise_variance=noise, **options)
        expected = optimal_encoder(decoder, run.vae.noise_variance, BETA, posterior=posterior)
        assert run.stopped == "gradient"
        np.testing.assert_array_equal(run.vae.decoder, decoder)
        np.testing.assert_allclose(run.vae.posterior_covariance, expected.posterior_covariance, rtol=0, atol=1e-10)
        seen = case.covariance @ (run.vae.encoder - expected.encoder).T  # what the data do not show is not learned
        np.testing.assert_allclose(seen, 0, atol=1e-10)
        assert run.loss - other.loss == pytest.approx(0.0, abs=1e-10)
    assert run.vae.noise_variance == pytest.approx(elbo_terms(run.vae, case.covariance).distortion / 5, rel=1e-7)


def test_steps_may_run_out_and_a_tolerance_may_be_out_of_reach():
    for method in METHODS:
        short = train(DISTINCT.covariance, 3, beta=1.5, method=method, max_steps=4)
        assert (short.stopped, short.steps, len(short.history)) == ("max_steps", 4, 5)
        assert short.history[-1] == short.loss
        unmoved = train(DISTINCT.covariance, 3, beta=1.5, method=method, max_steps=0)
        start = train(DISTINCT.covariance, 3, beta=1.5, max_steps=0)
        np.testing.assert_array_equal(unmoved.vae.decoder, start.vae.decoder)
        assert (unmoved.steps, unmoved.loss) == (0, start.loss)
        hopeless = train(DISTINCT.covariance, 3, beta=1.5, method=method, max_steps=500, gradient_tolerance=1e-30)
        assert hopeless.stopped == "max_steps" and hopeless.gradient_norm < 1e-8
