"""Why a run ended: the code of the kernel, unless the numbers are invalid or the loss has no lower bound."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import descent as kernels
from numerics.training.end_of_run import stop_reason
from numerics.training.problem import training_problem
from numerics.training.stop import Stop
from theory import elbo_terms, optimal_encoder
from theory.groups import Weights

COVARIANCE = np.diag([3.0, 1.0, 0.5])
PROBLEM = training_problem(COVARIANCE, 2, "learned", None, "full")
FIXED = training_problem(COVARIANCE, 2, 0.1, None, "full")
SIZE = 2 * 2 * 3 + 2**2 + 1
EXPONENTS = (12, 15, 16)  # the log diagonal of the factor and the log noise


def end_with(end=kernels.GRADIENT, loss=1.0, norm=0.0, problem=PROBLEM, beta=2.0, **changed):
    theta = np.zeros(SIZE)
    for place, value in changed.items():
        theta[int(place[1:])] = value
    return stop_reason(end, loss, norm, theta, problem, Weights.uniform(beta))


@pytest.mark.parametrize("word", ["not run", "gradient", "max_steps", "stalled", "diverged", "overflowed"])
def test_the_kernels_are_believed_where_all_is_finite(word):
    assert end_with(getattr(kernels, word.upper().replace(" ", "_"))) == word


@pytest.mark.parametrize("end", [kernels.GRADIENT, kernels.MAX_STEPS, kernels.STALLED, kernels.DIVERGED])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_overflowed_whatever_the_kernel_said(end, bad):
    assert end_with(end, loss=bad) == Stop.OVERFLOWED
    assert end_with(end, norm=bad) == Stop.OVERFLOWED
    for place in range(SIZE):
        assert end_with(end, **{f"p{place}": bad}) == Stop.OVERFLOWED


@pytest.mark.parametrize("place", range(SIZE))
def test_only_learned_exponents_are_bounded(place):
    """exp(2 x 400) is no double; a weight of 400 is one, and a fixed noise was checked as an argument."""
    for value in (400.0, -400.0):
        assert (end_with(**{f"p{place}": value}) == Stop.OVERFLOWED) == (place in EXPONENTS)
        assert (end_with(problem=FIXED, **{f"p{place}": value}) == Stop.OVERFLOWED) == (place in EXPONENTS[:2])


# Exact reconstruction costs (D/2) log s2 - beta (p/2) log s2 + a constant: unbounded if and only if beta p < D.
RANK_TWO = np.diag([3.0, 1.0, 0.0, 0.0])
DEPENDENT = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("covariance", "latent_dim", "options", "critical"),
    [
        (RANK_TWO, 2, {}, 2.0),
        (RANK_TWO, 3, {"posterior": "full"}, 2.0),
        (RANK_TWO, 1, {}, 0.0),  # a direction stays without a code
        (COVARIANCE, 3, {}, 1.0),
        (np.zeros((2, 2)), 0, {}, np.inf),
        (RANK_TWO, 3, {"decoder": DEPENDENT}, 4 / 3),  # three visible codes where each is on its own
        (RANK_TWO, 3, {"decoder": DEPENDENT, "posterior": "full"}, 2.0),  # two of three directions of codes
        (RANK_TWO, 3, {"decoder": DEPENDENT, "posterior": [[0, 1], [2]]}, 2.0),
        (RANK_TWO, 3, {"decoder": np.roll(DEPENDENT, 1, axis=0)}, 0.0),  # the data leave its range
        (RANK_TWO, 2, {"noise": 0.1}, 0.0),
    ],
)
def test_unboundedness_is_known_from_ranks_and_beta(covariance, latent_dim, options, critical):
    options = {"noise": "learned", "decoder": None, "posterior": "diagonal"} | options
    problem = training_problem(covariance, latent_dim, options["noise"], options["decoder"], options["posterior"])
    for beta in (1e-3, 0.999, 1.0, 1.001, 4 / 3, 1.999, 2.0, 2.001, 1e3):
        assert problem.unbounded(Weights.uniform(beta)) == (beta < critical)
        if beta < critical:
            theta = problem.start(np.random.default_rng(0))
            for end in (kernels.MAX_STEPS, kernels.GRADIENT, kernels.STALLED):
                assert stop_reason(end, 1.0, 0.0, theta, problem, Weights.uniform(beta)) == "diverged"


@pytest.mark.parametrize("posterior", ["diagonal", "full", [[0, 1], [2]]], ids=str)
@pytest.mark.parametrize("beta", [0.5, 1.3, 1.4, 1.9, 2.1, 3.0])
def test_the_loss_of_a_fixed_decoder_falls_with_the_noise_as_is_said(beta, posterior):
    """The best encoder of each noise, in closed form: between noises 1e-8 and 1e-12 the loss falls or rises."""
    problem = training_problem(RANK_TWO, 3, "learned", DEPENDENT, posterior)
    losses = []
    for noise in (1e-8, 1e-12):
        vae = optimal_encoder(DEPENDENT, noise, beta, posterior=posterior)
        losses.append(elbo_terms(vae, RANK_TWO).loss(beta))
    assert problem.unbounded(Weights.uniform(beta)) == (losses[1] < losses[0])
