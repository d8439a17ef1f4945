"""L-BFGS on the encoder alone: the profile loss and its gradient, and where it ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import numerics.training.problem
from numerics import train
from numerics.kernels.descent import Limits
from numerics.training import elimination
from numerics.training.problem import training_problem
from tests.cases import CASES, DISTINCT, ONE_DOMINANT, RANK_DEFICIENT
from theory import elbo_terms, optimum
from theory.groups import Weights

BETA, LATENT_DIM = 1.3, 4
FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1, 3]]}


def family(name, latent_dim):
    """The family by name for any number of latents: groups are even and odd ones."""
    if name != "groups":
        return name
    return [list(range(first, latent_dim, 2)) for first in (0, 1)]


def start(case, noise_variance, seed=1):
    """A problem and a random encoder: whitened, and its triangle with the logarithm on the diagonal."""
    problem = training_problem(case.covariance, LATENT_DIM, noise_variance, None, "full")
    theta = problem.start(np.random.default_rng(seed))
    _, whitened, _ = problem.unpack(theta)
    return problem, theta, whitened, theta[-LATENT_DIM * LATENT_DIM - 1 : -1].reshape(LATENT_DIM, LATENT_DIM)


def evaluate(problem, whitened, triangle, log_noise):
    factor = np.tril(triangle, -1) + np.diag(np.exp(np.diagonal(triangle)))
    return elimination.profile(whitened, factor, problem.standard_deviations, BETA, log_noise)


@pytest.mark.parametrize("noise_variance", [0.4, "learned"])
@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT, ONE_DOMINANT], ids=str)
def test_the_profile_is_the_least_loss_over_what_was_eliminated(case, noise_variance):
    problem, theta, whitened, triangle = start(case, noise_variance)
    log_noise = None if noise_variance == "learned" else theta[-1]
    found, weights = evaluate(problem, whitened, triangle, log_noise), Weights.uniform(BETA)
    best = np.concatenate([found.decoder.T.ravel(), theta[found.decoder.size : -1], [found.log_noise]])
    assert found.loss == pytest.approx(problem.measure(best, problem.objective(weights))[0], abs=1e-12)
    rng = np.random.default_rng(2)
    for _ in range(5):
        other = best.copy()
        other[: found.decoder.size] += 0.1 * rng.standard_normal(found.decoder.size)
        other[-1] += 0.1 * rng.standard_normal() * problem.mask[-1]
        assert problem.measure(other, problem.objective(weights))[0] > found.loss + 1e-4


@pytest.mark.parametrize("noise_variance", [0.4, "learned"])
@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT, ONE_DOMINANT], ids=str)
def test_the_envelope_theorem_gives_the_gradient_of_the_profile(case, noise_variance):
    """Against differences of fourth order along every parameter: the decoder follows the encoder, and is not seen."""
    problem, theta, whitened, triangle = start(case, noise_variance)
    log_noise, step = None if noise_variance == "learned" else theta[-1], 1e-3
    found = evaluate(problem, whitened, triangle, log_noise)

    def slope(part, index):
        losses = []
        for shift in (-2, -1, 1, 2):
            moved = [whitened.copy(), triangle.copy()]
            moved[part][index] += shift * step
            losses.append(evaluate(problem, *moved, log_noise).loss)
        return (losses[0] - 8 * losses[1] + 8 * losses[2] - losses[3]) / (12 * step)

    for part, gradient in enumerate((found.to_encoder, np.tril(found.to_triangle))):
        expected = [slope(part, index) for index in np.ndindex(gradient.shape)]
        np.testing.assert_allclose(gradient.ravel(), expected, rtol=0, atol=2e-9)
        assert np.abs(gradient).max() > 0.1


@pytest.mark.parametrize("noise_variance", ["fixed", "learned"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_reaches_the_global_optimum(case, name, noise_variance):
    noise, posterior = case.noise_variance if noise_variance == "fixed" else "learned", family(name, case.latent_dim)
    best = optimum(case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise, posterior=posterior)
    run = train(
        case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise, posterior=posterior, method="lbfgs"
    )
    assert run.stopped in ("gradient", "stalled")
    assert run.stopped == "stalled" or run.gradient_norm <= 1e-8
    assert run.loss - best.loss == pytest.approx(0.0, abs=1e-10)
    assert run.loss == pytest.approx(elbo_terms(run.vae, case.covariance).loss(case.beta), abs=1e-11)
    assert run.vae.belongs_to(posterior)
    assert len(run.history) == run.steps + 1 and run.history[-1] == run.loss
    assert np.count_nonzero(np.diff(run.history) > 1e-11) <= 1  # the perturbation


def test_the_gradient_ends_it_where_losses_can_tell():
    for name in FAMILIES:
        run = train(
            DISTINCT.covariance, 3, beta=1.5, method="lbfgs", posterior=family(name, 3), gradient_tolerance=1e-6
        )
        assert run.stopped == "gradient" and run.gradient_norm <= 1e-6
    short = train(DISTINCT.covariance, 3, beta=1.5, method="lbfgs", max_steps=4)
    assert (short.stopped, short.steps, len(short.history)) == ("max_steps", 4, 5)
    assert train(DISTINCT.covariance, 3, beta=1.5, method="lbfgs", max_steps=0).steps == 0
    hopeless = train(DISTINCT.covariance, 3, beta=1.5, method="lbfgs", gradient_tolerance=1e-30)
    assert hopeless.stopped == "stalled" and hopeless.gradient_norm < 1e-6


def test_a_saddle_does_not_hold_it(monkeypatch):
    """From modes 1 and 3 instead of 1 and 2, where the gradient alone would end it."""
    eigenvalues, noise = np.array([2.0, 1.0, 0.5, 0.3]), 0.2
    problem, weights = training_problem(np.diag(eigenvalues), 2, noise, None, "diagonal"), Weights.uniform(1.0)
    encoder, chosen = np.zeros((4, 2)), eigenvalues[[0, 2]]
    encoder[[0, 2], [0, 1]] = np.sqrt((chosen - noise) / chosen)
    triangle = np.diag(np.log(noise / chosen) / 2)
    theta = np.concatenate([np.zeros(8), encoder.T.ravel(), triangle.ravel(), [np.log(problem.noise)]])
    best = optimum(np.diag(eigenvalues), 2, beta=1.0, noise_variance=noise).loss - problem.loss_offset(weights)
    start, history = theta.copy(), np.empty(2001)
    steps, loss, _, _ = elimination.eliminate(
        problem, theta, problem.objective(weights), Limits(0.01, 1e-6, 2000), history
    )
    assert history[0] - best > 0.1
    assert loss - best == pytest.approx(0.0, abs=1e-10) and history[steps] == loss
    monkeypatch.setattr(numerics.training.problem, "PERTURBATION", 0.0)
    problem = dataclasses.replace(problem)  # one that has not drawn its perturbation yet
    _, loss, norm, end = elimination.eliminate(
        problem, start, problem.objective(weights), Limits(0.01, 1e-6, 2000), history
    )
    assert end == elimination.descent.GRADIENT and norm < 1e-6
    assert loss == pytest.approx(history[0], abs=1e-12)


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
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
def test_noise_that_runs_to_zero_is_reported(eigenvalues, latent_dim, beta, posterior):
    run = train(np.diag(eigenvalues), latent_dim, beta=beta, posterior=posterior, method="lbfgs")
    assert run.stopped == "diverged"
    assert run.vae.noise_variance < 1e-6 * (max(eigenvalues) or 1.0)


def test_latents_that_carry_nothing():
    collapsed = train(DISTINCT.covariance, 3, beta=1.5, noise_variance=4.0, method="lbfgs")
    assert collapsed.loss == pytest.approx(np.trace(DISTINCT.covariance) / 8 + 2.5 * np.log(8 * np.pi), abs=1e-10)
    none = train(DISTINCT.covariance, 0, beta=1.5, method="lbfgs")
    assert none.stopped == "gradient" and none.vae.decoder.shape == (5, 0)
    assert none.vae.noise_variance == pytest.approx(np.mean(DISTINCT.eigenvalues), rel=1e-14)
    still = train(np.zeros((3, 3)), 2, beta=1.0, noise_variance=0.5, method="lbfgs")
    assert still.loss == pytest.approx(1.5 * np.log(np.pi), abs=1e-12)
    many = train(DISTINCT.covariance, 7, beta=1.5, noise_variance=0.5, method="lbfgs")
    best = optimum(DISTINCT.covariance, 7, beta=1.5, noise_variance=0.5)
    assert many.loss - best.loss == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("beta", [1e3, 3e4, 1e9])
def test_it_ends_where_no_step_is_seen_to_fall(beta):
    """Far beyond total collapse the loss differs by rounding only, and scipy makes no step at all."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        eigenvalues = np.sort(rng.uniform(0.1, 4.0, 4))[::-1]
        run = train(np.diag(eigenvalues), 2, beta=beta, method="lbfgs")
        assert run.stopped in ("gradient", "stalled")
        assert run.loss == pytest.approx(optimum(np.diag(eigenvalues), 2, beta=beta).loss, abs=1e-6)
