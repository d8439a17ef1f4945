"""The compiled kernels: the gradient against differences of the defined loss, each kernel against its own Python."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.kernels import descent, objective, products
from numerics.kernels.descent import Limits
from numerics.kernels.objective import Objective, value_and_gradient
from numerics.training.problem import pack, training_problem
from numerics.training.train import as_weights
from tests.cases import DISTINCT, ISOTROPIC, ONE_DOMINANT
from theory import elbo_terms
from theory.groups import Weights, grouped_gradient, grouped_terms
from theory.partition import partition

FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": [[0, 2], [1]]}


def setting(posterior="full", latent_dim=3, case=DISTINCT, noise_variance="learned", seed=0):
    problem = training_problem(case.covariance, latent_dim, noise_variance, None, posterior)
    theta = problem.start(np.random.default_rng(seed))
    theta[-1] -= 0.3  # away from the mean variance
    return problem, theta


def evaluate(problem, theta, weights, function=value_and_gradient):
    gradient, work = np.full(len(theta), np.nan), np.full((5, problem.latent_dim, problem.latent_dim), np.nan)
    at, to = (
        objective.views(vector, problem.latent_dim, problem.standard_deviations.size) for vector in (theta, gradient)
    )
    return function(at, problem.objective(as_weights("beta", weights)), to, work), gradient


def defined_loss(problem, theta, covariance, beta):
    return elbo_terms(problem.vae(theta), covariance).loss(beta) - problem.loss_offset(Weights())


def objective_of(problem, beta):
    return problem.objective(Weights.uniform(beta))


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


@pytest.mark.parametrize("function", [products.invert, products.invert.py_func], ids=["compiled", "python"])
@pytest.mark.parametrize("size", [0, 1, 6])
def test_inverse_of_a_positive_definite_matrix(function, size):
    root = np.random.default_rng(size).standard_normal((size, size + 2))
    matrix = root @ root.T
    inverse = matrix.copy()
    assert function(inverse) == pytest.approx(np.linalg.slogdet(matrix)[1], abs=1e-12)
    np.testing.assert_allclose(inverse @ matrix, np.eye(size), atol=1e-11)


SHAPES = [(0, 3, 5), (1, 1, 1), (3, 3, 4), (4, 4, 8), (6, 9, 3), (7, 2, 11), (16, 16, 64), (5, 0, 2)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_by_loops(shape):
    """Sizes with and without rows and columns beyond the last block of four."""
    (rows, inner, columns), rng = shape, np.random.default_rng(0)
    left, right = rng.standard_normal((rows, inner)), rng.standard_normal((inner, columns))
    base, others = rng.standard_normal((rows, columns)), rng.standard_normal((rows, inner))
    for function in (products.add_product, products.add_product.py_func):
        out = base.copy()
        function(left, right, out)
        np.testing.assert_allclose(out, base + left @ right, rtol=0, atol=1e-12)
    square = rng.standard_normal((rows, rows))
    for function in (products.add_lower, products.add_lower.py_func):
        out = square.copy()
        function(left, others, out)
        np.testing.assert_allclose(np.tril(out), np.tril(square + left @ others.T), rtol=0, atol=1e-12)
    for function in (products.mirror, products.mirror.py_func):
        out = square.copy()
        function(out)
        np.testing.assert_array_equal(out, np.tril(square) + np.tril(square, -1).T)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 1000])
def test_vectors_that_begin_with_a_line_of_the_cache(size):
    for function in (products.zeros, products.zeros.py_func):
        vector = function(size)
        assert vector.shape == (size,)
        assert not vector.any()
        assert vector.flags.c_contiguous
        assert size == 0 or vector.ctypes.data % 64 == 0


@pytest.mark.parametrize("latent_dim", [0, 1, 7])
def test_no_latents_and_more_latents_than_dimensions(latent_dim):
    problem, theta = setting("diagonal", latent_dim)
    loss, gradient = evaluate(problem, theta, 0.7)
    assert loss == pytest.approx(defined_loss(problem, theta, DISTINCT.covariance, 0.7), abs=1e-11)
    assert np.isfinite(gradient).all()


def test_held_parameters_have_no_gradient():
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


METHODS = {
    "accelerated": (descent.accelerated, lambda problem: (problem.perturbation,)),
    "gradient": (descent.gradient_descent, lambda problem: ()),
    "adam": (descent.adam, lambda problem: ()),
}


@pytest.mark.parametrize(("kernel", "own"), METHODS.values(), ids=METHODS)
def test_descents_in_plain_python(kernel, own):
    results = []
    for function in (kernel, kernel.py_func):
        problem, theta = setting("full", 2)
        history = np.full(8, np.nan)
        ended = function(theta, objective_of(problem, 1.5), *own(problem), Limits(0.01, 1e-8, 15), history)
        results.append((*ended, history, theta))
    for compiled, plain in zip(*results, strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-10, atol=1e-10)
    steps, loss, _, end, history, _ = results[0]
    assert (steps, end) == (15, descent.MAX_STEPS)
    assert history[0] > history[-1]
    assert history[0] > loss


@pytest.mark.parametrize("method", [descent.ACCELERATED, descent.GRADIENT_DESCENT, descent.ADAM])
def test_dispatch_in_plain_python(method):
    results = []
    for function in (descent.descend, descent.descend.py_func):
        problem, theta = setting("full", 2)
        limits = Limits(0.01, 1e-8, 9)
        ended = function(theta, objective_of(problem, 1.5), problem.perturbation, method, limits, np.empty(0))
        results.append((*ended, *theta))
    assert results[0] == results[1]  # the same compiled descent underneath


def test_many_runs_in_plain_python_and_one_by_one():
    weights = np.array([[0.4, 0.4, 0.4, 0.4], [1.5, 3.0, 0.7, 1.0], [1.0, 6.0, 1.0, 1.0]])
    problem, theta = setting("full", 2)
    results = []
    for function in (descent.descend_all, descent.descend_all.py_func):
        thetas = np.tile(theta, (3, 1))
        steps, ends, losses, norms = np.zeros(3, int), np.zeros(3, int), np.zeros(3), np.zeros(3)
        settings = problem.perturbation, descent.ACCELERATED, Limits(0.01, 1e-8, 40)
        function(thetas, weights, objective_of(problem, 1.0), *settings, steps, losses, norms, ends)
        results.append((thetas, steps, losses, norms, ends))
    for compiled, plain in zip(*results, strict=True):
        np.testing.assert_array_equal(compiled, plain)


def test_adam_takes_the_published_steps():
    problem, theta = setting("full", 2)
    expected, first, second = theta.copy(), 0.0, 0.0
    for step in range(1, 6):
        gradient = evaluate(problem, expected, 1.5)[1]
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        mean, spread = first / (1 - 0.9**step), np.sqrt(second / (1 - 0.999**step))
        expected -= 0.05 * mean / (spread + 1e-8)
    descent.adam(theta, objective_of(problem, 1.5), Limits(0.05, 1e-8, 5), np.empty(0))
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-12)


def test_parts_of_the_parameters_in_plain_python():
    theta = np.arange(2 * 6 + 4 + 1.0)
    for function in (objective.views, objective.views.py_func):
        vector, maps, triangle = function(theta, 2, 3)
        assert np.shares_memory(vector, theta)
        np.testing.assert_array_equal(maps, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])
        np.testing.assert_array_equal(triangle, [[12, 13], [14, 15]])
    for function in (objective.read_factor, objective.read_factor.py_func):
        for below in (0.0, 1.0):
            factor, mask = np.full((2, 2), np.nan), np.array([1.0] * 12 + [1.0, 0.0, below, 1.0] + [1.0])
            assert function(np.array([[0.5, 9.0], [2.0, -1.5]]), mask, factor) == (-2.0, below > 0)
            np.testing.assert_allclose(factor, [[np.exp(0.5), 0.0], [2.0, np.exp(-1.5)]], rtol=1e-15)


@pytest.mark.parametrize("function", [descent.verdict, descent.verdict.py_func], ids=["compiled", "python"])
def test_why_a_descent_ends(function):
    floor, limits = objective.LOG_NOISE_FLOOR, Limits(0.01, 1e-8, 9)
    assert function(3, 1e-9, floor - 1, limits, floor) == descent.GRADIENT
    assert function(3, 1.0, floor - 1, limits, floor) == descent.DIVERGED
    assert function(3, 1.0, floor - 1, limits, -np.inf) == descent.NOT_RUN
    assert function(9, 1.0, 0.0, limits, floor) == descent.MAX_STEPS
    assert function(3, 1.0, floor - 1, limits, floor - 2) == descent.NOT_RUN
    for norm in (np.inf, np.nan):
        assert function(3, norm, 0.0, limits, floor) == descent.OVERFLOWED


def test_how_far_a_noise_is_followed():
    """To 1e-6 where the loss is known to have no lower bound, else as far as double precision resolves."""
    functions = objective.unbounded, objective.noise_floor, descent.noise_end
    for unbounded, floor, noise_end in (functions, [function.py_func for function in functions]):
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


def test_small_helpers_in_plain_python():
    x, y = np.array([1.0, -2.0, 0.5]), np.array([0.25, 3.0, 4.0])
    for function in (products.dot, products.dot.py_func):
        assert function(x, y) == x @ y
    for function in (products.move, products.move.py_func):
        out = np.empty(3)
        function(x, 2.0, y, out)
        np.testing.assert_array_equal(out, x + 2 * y)
    for function in (objective.rounding_error, objective.rounding_error.py_func):
        loss = Objective(x, np.ones(4), np.zeros((3, 0), dtype=int), np.eye(0), np.ones(1))
        assert function(np.array([0.0, np.log(0.5)]), loss, -3.0) == pytest.approx(1e-14 * (6.25 * 2 + 3), rel=1e-12)
