"""The compiled objective: its gradient against differences of the defined loss, each kernel against its own Python."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import descent, objective
from numerics.kernels.objective import Objective, value_and_gradient
from numerics.training.problem import pack, training_problem
from tests.cases import DISTINCT, ISOTROPIC, ONE_DOMINANT
from tests.numerics.kernels.helpers import compiled_and_plain, defined_loss, evaluate, setting
from theory.groups import Weights, grouped_gradient, grouped_terms
from theory.partition import partition

FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1]]}


@pytest.mark.parametrize("posterior", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("case", [DISTINCT, ISOTROPIC, ONE_DOMINANT], ids=str)
def test_loss_is_the_defined_one_and_the_gradient_its_derivative(case, posterior):
    problem, theta = setting(posterior, case=case)
    loss, gradient = evaluate(problem, theta, case.beta)
    assert loss == pytest.approx(defined_loss(problem, theta, case.covariance, case.beta), abs=1e-11)

    def shifted(place, step):
        moved = theta.copy()
        moved[place] += step
        return defined_loss(problem, moved, case.covariance, case.beta)

    h = 1e-3  # differences of fourth order: error h^4 from the series and 1e-14 / h from rounding
    for place in range(len(theta)):
        derivative = (
            8 * (shifted(place, h) - shifted(place, -h)) - (shifted(place, 2 * h) - shifted(place, -2 * h))
        ) / (12 * h)
        expected = derivative if problem.mask[place] else 0.0
        assert gradient[place] == pytest.approx(expected, rel=1e-8, abs=1e-8), place


@pytest.mark.parametrize("groups", ["diagonal", "full", [[0, 2], [1]]], ids=str)
@pytest.mark.parametrize("prior", [None, np.array([[1.0, 0.5, 0], [0.5, 2.0, 0.3], [0, 0.3, 0.7]])], ids=["I", "Pi"])
def test_grouped_loss_and_gradient(groups, prior):
    """The value against the parts of the definition, the gradient against that of plain arrays in theory."""
    weights = Weights(1.3, 4.0, 0.6, 0.8)
    problem = training_problem(DISTINCT.covariance, 3, "learned", None, "full", groups, prior)
    theta = problem.start(np.random.default_rng(3))
    loss, gradient = evaluate(problem, theta, weights)
    vae = problem.vae(theta)
    exact = grouped_terms(vae, DISTINCT.covariance, groups, prior=prior).loss(weights)
    assert loss + problem.loss_offset(weights) == pytest.approx(exact, abs=1e-11)

    arrays = (vae.decoder, vae.encoder, vae.posterior_covariance, vae.noise_variance, DISTINCT.covariance)
    slope = grouped_gradient(*arrays, weights, partition(groups, 3), prior=prior)
    triangle = theta[30:-1].reshape(3, 3)
    factor = np.tril(triangle, -1) + np.diag(np.exp(np.diagonal(triangle)))
    to_factor = np.tril(2 * slope.posterior_covariance @ factor)
    to_triangle = np.tril(to_factor, -1) + np.diag(np.diagonal(to_factor) * np.diagonal(factor))
    to_decoder = problem.axes.T @ slope.decoder * np.sqrt(problem.unit)
    unwhitened = slope.encoder @ problem.axes / problem.standard_deviations / np.sqrt(problem.unit)
    parts = [to_decoder.T.ravel(), unwhitened.ravel(), to_triangle.ravel(), [slope.noise_variance * vae.noise_variance]]
    np.testing.assert_allclose(gradient, np.concatenate(parts), rtol=1e-10, atol=1e-11)
    plain = evaluate(problem, theta, weights, objective.value_and_gradient.py_func)
    np.testing.assert_allclose(plain[1], gradient, rtol=0, atol=1e-11)


@pytest.mark.parametrize("latent_dim", [0, 1, 3])
def test_packing_undoes_unpacking(latent_dim):
    problem, theta = setting("full", latent_dim)
    packed = pack(*problem.unpack(theta), theta[-1])
    above = np.zeros(len(theta), dtype=bool)
    above[2 * problem.standard_deviations.size * latent_dim : -1] = ~np.tri(latent_dim, dtype=bool).ravel()
    np.testing.assert_allclose(packed, np.where(above, 0.0, theta), rtol=0, atol=1e-14)


@pytest.mark.parametrize("latent_dim", [0, 1, 7])
def test_no_latents_and_more_latents_than_dimensions(latent_dim):
    problem, theta = setting("diagonal", latent_dim)
    loss, gradient = evaluate(problem, theta, 0.7)
    assert loss == pytest.approx(defined_loss(problem, theta, DISTINCT.covariance, 0.7), abs=1e-11)
    assert np.isfinite(gradient).all()


def test_fixed_parameters_have_no_gradient():
    problem = training_problem(DISTINCT.covariance, 3, 0.4, np.ones((5, 3)), [[0, 2], [1]])
    theta = problem.start(np.random.default_rng(1))
    gradient = evaluate(problem, theta, 1.5)[1]
    assert not gradient[problem.mask == 0].any()
    assert gradient[problem.mask == 1].all()
    assert problem.mask.sum() == 15 + 4  # the encoder, three log diagonals and one entry below the diagonal


@pytest.mark.parametrize("latent_dim", [0, 1, 3])
def test_loss_in_plain_python(latent_dim):
    problem, theta = setting("full", latent_dim)
    compiled, plain = evaluate(problem, theta, 1.5), evaluate(problem, theta, 1.5, value_and_gradient.py_func)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-13)
    np.testing.assert_allclose(plain[1], compiled[1], rtol=0, atol=1e-12)


def test_parts_of_the_parameters_in_plain_python():
    theta = np.arange(2 * 6 + 4 + 1.0)
    for function in compiled_and_plain(objective.views):
        vector, maps, triangle = function(theta, 2, 3)
        assert np.shares_memory(vector, theta)
        np.testing.assert_array_equal(maps, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])
        np.testing.assert_array_equal(triangle, [[12, 13], [14, 15]])
    for function in compiled_and_plain(objective.read_factor):
        for below in (0.0, 1.0):
            factor, mask = np.full((2, 2), np.nan), np.array([1.0] * 12 + [1.0, 0.0, below, 1.0] + [1.0])
            assert function(np.array([[0.5, 9.0], [2.0, -1.5]]), mask, factor) == (-2.0, below > 0)
            np.testing.assert_allclose(factor, [[np.exp(0.5), 0.0], [2.0, np.exp(-1.5)]], rtol=1e-15)


def test_how_far_a_noise_is_followed():
    """To 1e-6 where the loss is known to have no lower bound, else as far as double precision resolves."""
    functions = objective.unbounded, objective.noise_floor, descent.noise_end
    for unbounded, floor, noise_end in zip(*map(compiled_and_plain, functions), strict=True):
        for deviations, latent_dim, weight, noise_learned, known in (
            ([1.0, 0.5, 0.0], 2, 1.4, 1.0, True),
            ([1.0, 0.5, 0.0], 2, 1.5, 1.0, False),  # at D / rank every noise up to some is as good
            ([1.0, 0.5, 0.0], 1, 1.4, 1.0, False),
            ([1.0, 0.5, 0.0], 2, 1.4, 0.0, False),
            ([0.0, 0.0, 0.0], 0, 9.0, 1.0, True),
        ):
            mask = np.append(np.ones(6 * latent_dim + latent_dim**2), noise_learned)
            weights, partitions = np.array([weight, 7.0, 7.0, 7.0]), np.zeros((3, latent_dim), dtype=int)
            loss = Objective(np.array(deviations), weights, partitions, np.eye(latent_dim), mask)
            assert unbounded(loss) == known
            expected = objective.LOG_NOISE_FLOOR if known else objective.LOG_NOISE_RESOLVED
            assert floor(loss) == expected
            assert noise_end(loss) == (expected if noise_learned else -np.inf)  # a fixed noise may be of any size


def test_rounding_error_in_plain_python():
    x = np.array([1.0, -2.0, 0.5])
    for function in (objective.rounding_error, objective.rounding_error.py_func):
        loss = Objective(x, np.ones(4), np.zeros((3, 0), dtype=int), np.eye(0), np.ones(1))
        assert function(np.array([0.0, np.log(0.5)]), loss, -3.0) == pytest.approx(1e-14 * (6.25 * 2 + 3), rel=1e-12)
