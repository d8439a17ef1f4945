"""Training against the closed-form optimum, which it does not use, and its stop reasons where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from numerics import sweep, train
from numerics.kernels import descent
from numerics.training.problem import training_problem
from tests.cases import CASES, DISTINCT, RANK_DEFICIENT, orthogonal
from theory import Moments, elbo_terms, optimum
from theory.groups import Weights

FAMILIES = {"diagonal": "diagonal", "full": "full", "groups": "pairs"}


def closed_form(eigenvalues, latent_dim, beta, noise_variance):
    """Loss, noise and signal variances of the global optimum, from the statement of the theorem alone."""
    eigenvalues, dim = np.asarray(eigenvalues), len(eigenvalues)
    noises = [noise_variance]
    if noise_variance == "learned":
        counts = [q for q in range(min(latent_dim, dim) + 1) if dim > q * beta]
        noises = [eigenvalues[q:].sum() / (dim - q * beta) for q in counts]
    best = None
    for noise in noises:
        active = (np.arange(dim) < latent_dim) & (eigenvalues > beta * noise)
        distortion = np.where(active, beta * noise, eigenvalues).sum()
        rate = np.log(eigenvalues[active] / (beta * noise)).sum() / 2
        loss = distortion / (2 * noise) + dim / 2 * np.log(2 * np.pi * noise) + beta * rate
        if best is None or loss < best[0]:
            best = loss, noise, np.where(active, eigenvalues - beta * noise, 0.0)
    return best


def family(name, latent_dim):
    return [list(range(latent_dim))[k : k + 2] for k in range(0, latent_dim, 2)] if name == "pairs" else name


def geometric(dim, ratio):
    return 3.0 * ratio ** -np.arange(dim)


def check_parameters(vae, basis, eigenvalues, signal, noise, beta, atol, axes_fixed):
    """The learned maps in the principal axes: what rotations of the latents keep, and each latent if axes are fixed."""
    decoder, encoder, t = basis.T @ vae.decoder, vae.encoder @ basis, beta * noise
    gain, shrink = signal / eigenvalues, np.minimum(1.0, t / eigenvalues)
    np.testing.assert_allclose(decoder @ decoder.T, np.diag(signal), rtol=0, atol=atol)
    np.testing.assert_allclose(decoder @ encoder, np.diag(gain), rtol=0, atol=atol)
    np.testing.assert_allclose(
        decoder @ vae.posterior_covariance @ decoder.T, np.diag(signal * shrink), rtol=0, atol=atol
    )
    assert vae.noise_variance == pytest.approx(noise, abs=atol)
    if not axes_fixed:
        return
    dims = min(vae.latent_dim, len(eigenvalues))
    wanted = np.zeros((len(eigenvalues), vae.latent_dim))
    wanted[np.arange(dims), np.arange(dims)] = np.sqrt(signal[:dims])
    order = linear_sum_assignment(-np.abs(decoder.T @ wanted))[
        1
    ]  # latent k of the run is latent order[k] of the theorem
    signs = np.where(np.einsum("dk,dk->k", decoder, wanted[:, order]) < 0, -1.0, 1.0)
    np.testing.assert_allclose(decoder * signs, wanted[:, order], rtol=0, atol=atol)
    np.testing.assert_allclose(encoder.T * signs, (wanted / eigenvalues[:, None])[:, order], rtol=0, atol=atol)
    variances = np.ones(vae.latent_dim)
    variances[:dims] = shrink[:dims]
    np.testing.assert_allclose(np.diagonal(vae.posterior_covariance), variances[order], rtol=0, atol=atol)


# D, K, ratio of neighbouring eigenvalues, beta, and t as (index, multiple) of an eigenvalue; None: the noise is learned
SETTINGS = [
    (2, 1, 1.3, 1.0, None),
    (2, 1, 1.3, 5.0, (0, 0.98)),
    (2, 2, 1.3, 0.3, (1, 0.5)),
    (5, 3, 1.3, 0.3, None),
    (5, 3, 1.3, 1.0, (1, 1.02)),
    (5, 5, 1.3, 5.0, (3, 0.98)),
    (5, 2, 1.3, 1.0, (0, 1.5)),  # total collapse
    (8, 8, 1.3, 1.0, (7, 0.3)),
    (8, 4, 2.0, 5.0, (3, 1.02)),
    (8, 7, 1.3, 0.3, None),
    (8, 3, 1.5, 5.0, None),
    (20, 5, 1.3, 1.0, None),
    (20, 5, 1.3, 0.3, (2, 0.98)),
    (20, 5, 1.5, 5.0, (5, 0.3)),
    (64, 8, 1.3, 1.0, None),
    (64, 8, 1.3, 5.0, (4, 1.02)),
]


@pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("method", ["accelerated", "auto"])
def test_every_random_start_reaches_the_global_optimum(method, setting, name):
    dim, latent_dim, ratio, beta, level = setting
    eigenvalues = geometric(dim, ratio)
    noise = "learned" if level is None else level[1] * eigenvalues[level[0]] / beta
    basis = orthogonal(dim, np.random.default_rng(dim))
    covariance = (basis * eigenvalues) @ basis.T
    loss, learned, signal = closed_form(eigenvalues, latent_dim, beta, noise)
    posterior = family(name, latent_dim)
    for seed in range(3):
        run = train(
            covariance,
            latent_dim,
            beta=beta,
            noise_variance=noise,
            posterior=posterior,
            method=method,
            rng=np.random.default_rng(seed),
        )
        assert run.stopped == "gradient"
        assert run.gradient_norm <= 1e-8
        assert run.history[0] - loss > 0.05  # it started somewhere else
        assert run.loss - loss == pytest.approx(0.0, abs=1e-10)
        assert run.vae.belongs_to(posterior)
        check_parameters(run.vae, basis, eigenvalues, signal, learned, beta, 1e-5, axes_fixed=name == "diagonal")


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_ties_thresholds_and_missing_variance_do_not_matter_to_the_loss(case, posterior):
    loss = closed_form(case.eigenvalues, case.latent_dim, case.beta, case.noise_variance)[0]
    run = train(
        case.covariance, case.latent_dim, beta=case.beta, noise_variance=case.noise_variance, posterior=posterior
    )
    assert run.stopped == "gradient"
    assert run.loss - loss == pytest.approx(0.0, abs=1e-10)


def test_reported_numbers_are_those_of_the_model():
    run = train(DISTINCT.covariance, 3, beta=1.5)
    assert run.loss == pytest.approx(elbo_terms(run.vae, DISTINCT.covariance).loss(1.5), abs=1e-12)
    assert len(run.history) == run.steps + 1
    assert run.history[-1] == run.loss
    assert run.history[0] > run.history[-1] + 0.1
    assert run.history.min() > run.history[-1] - 1e-12


@pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.parametrize("case", [DISTINCT, RANK_DEFICIENT], ids=str)
def test_known_decoder_gets_its_optimal_encoder(case, name):
    beta, noise, latent_dim = case.beta, case.noise_variance, 3
    decoder = np.random.default_rng(4).standard_normal((case.data_dim, latent_dim))
    posterior = family(name, latent_dim)
    run = train(case.covariance, latent_dim, beta=beta, noise_variance=noise, decoder=decoder, posterior=posterior)
    precision = np.eye(latent_dim) + decoder.T @ decoder / (beta * noise)
    blocks = {"diagonal": [[0], [1], [2]], "full": [[0, 1, 2]]}.get(name, posterior)
    covariance = np.zeros((latent_dim, latent_dim))
    for block in blocks:
        covariance[np.ix_(block, block)] = np.linalg.inv(precision[np.ix_(block, block)])
    visible = case.basis[:, : case.rank] @ case.basis[:, : case.rank].T  # nothing else can be seen in the data
    encoder = np.linalg.solve(precision, decoder.T) / (beta * noise) @ visible
    assert run.stopped == "gradient"
    np.testing.assert_array_equal(run.vae.decoder, decoder)
    np.testing.assert_allclose(run.vae.encoder, encoder, rtol=0, atol=1e-7)
    np.testing.assert_allclose(run.vae.posterior_covariance, covariance, rtol=0, atol=1e-7)
    assert run.vae.noise_variance == pytest.approx(noise, rel=1e-15)


def test_known_decoder_with_learned_noise_is_self_consistent():
    decoder = np.random.default_rng(4).standard_normal((5, 3))
    vae = train(DISTINCT.covariance, 3, beta=1.5, decoder=decoder).vae
    assert vae.noise_variance == pytest.approx(elbo_terms(vae, DISTINCT.covariance).distortion / 5, rel=1e-7)
    t = 1.5 * vae.noise_variance
    expected = np.linalg.solve(np.eye(3) + decoder.T @ decoder / t, decoder.T) / t
    np.testing.assert_allclose(vae.encoder, expected, rtol=0, atol=1e-7)


def test_descent_in_the_principal_axes_is_descent_in_the_axes_of_the_data():
    """Fifty fixed steps of the kernel's gradient against numpy in the original axes, with S^(1/2) as a full matrix."""
    beta, rate, latent_dim = 1.5, 0.02, 3
    problem = training_problem(DISTINCT.covariance, latent_dim, "learned", None, "full")
    theta = problem.start(np.random.default_rng(0))
    covariance = DISTINCT.covariance / problem.unit
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(values)) @ vectors.T
    begin = problem.vae(theta)
    decoder, noise = begin.decoder / np.sqrt(problem.unit), begin.noise_variance / problem.unit
    whitened = root @ begin.encoder.T * np.sqrt(problem.unit)
    factor = np.linalg.cholesky(begin.posterior_covariance)
    weights = Weights.uniform(beta)
    for _ in range(50):
        code, gram = whitened.T @ whitened + factor @ factor.T, decoder.T @ decoder
        distortion = np.trace(covariance) - 2 * np.sum(decoder * (root @ whitened)) + np.sum(gram * code)
        slope = np.tril((gram / noise + beta * np.eye(latent_dim)) @ factor)
        log_slope = np.diagonal(slope) * np.diagonal(factor) - beta
        to_decoder = (decoder @ code - root @ whitened) / noise
        to_whitened = (whitened @ gram - root @ decoder) / noise + beta * whitened
        to_log_noise = len(values) / 2 - distortion / (2 * noise)
        decoder, whitened = decoder - rate * to_decoder, whitened - rate * to_whitened
        factor = np.tril(factor - rate * slope, -1) + np.diag(np.diagonal(factor) * np.exp(-rate * log_slope))
        noise *= np.exp(-rate * to_log_noise)
        theta -= rate * problem.value_and_gradient(theta, problem.objective(weights))[1]
    end = problem.vae(theta)
    np.testing.assert_allclose(end.decoder, decoder * np.sqrt(problem.unit), rtol=0, atol=1e-11)
    np.testing.assert_allclose(
        end.encoder, np.linalg.solve(root, whitened).T / np.sqrt(problem.unit), rtol=0, atol=1e-11
    )
    np.testing.assert_allclose(end.posterior_covariance, factor @ factor.T, rtol=0, atol=1e-11)
    assert end.noise_variance == pytest.approx(noise * problem.unit, abs=1e-11)


@pytest.mark.parametrize("scale", [1e-95, 1e-50, 1e50, 1e95])
def test_sizes_of_the_data_change_units_only(scale):
    """What floats can hold is right to rounding of the scale, which is no power of two."""
    small, other = (train(factor * DISTINCT.covariance, 3, beta=1.5) for factor in (1.0, scale))
    assert other.stopped == "gradient"
    assert other.loss == pytest.approx(small.loss + 2.5 * np.log(scale), rel=1e-13)
    assert other.vae.noise_variance == pytest.approx(scale * small.vae.noise_variance, rel=1e-7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"covariance": 1e300 * np.eye(5)}, "covariance must be zero or between 1e-100 and 1e100 in size"),
        ({"covariance": 1e-300 * np.eye(5)}, "covariance must be zero or between 1e-100 and 1e100 in size"),
        ({"covariance": np.zeros((0, 0))}, "covariance must have at least one dimension"),
        ({"noise_variance": 1e60}, r"noise_variance must be between 3e-13 and 1e\+40 times the largest variance"),
        ({"noise_variance": 5e-324}, "noise_variance must be between"),
        ({"decoder": 1e60 * np.ones((5, 3))}, r"decoder must be at most 1e\+40 times the largest standard"),
        ({"prior": 1e60 * np.eye(3)}, "prior must be between"),
        ({"beta": 1e308}, r"beta must be at most 1e\+40 in size, got 1e\+308; take ordinary sizes"),
        ({"beta": Weights(1.0, 1e308, 1.0, 1.0)}, r"beta must be at most 1e\+40"),
        ({"max_steps": 10**12}, "max_steps = 1000000000000 needs .* GiB"),
        ({"max_steps": 10**30}, "max_steps must be <="),
        ({"latent_dim": 2**31}, "latent_dim = 2147483648 needs .* GiB"),
    ],
)
def test_what_floats_or_memory_cannot_hold_is_refused(changes, message):
    arguments = {"covariance": DISTINCT.covariance, "latent_dim": 3, "beta": 1.0} | changes
    with pytest.raises(ValueError, match=message):
        train(arguments.pop("covariance"), arguments.pop("latent_dim"), **arguments)


def test_a_prior_of_small_variance_is_no_overflow():
    """Codes of variance 1e-8 want decoders of 1e4, in units of the data, and the loss is that of the unit prior."""
    options = {"beta": 1.5, "noise_variance": 0.4, "max_steps": 50_000}
    unit = train(DISTINCT.covariance, 2, **options)
    small = train(DISTINCT.covariance, 2, prior=1e-6 * np.eye(2), **options)
    assert small.loss >= unit.loss - 1e-9
    assert small.stopped in ("gradient", "stalled", "max_steps")


@pytest.mark.parametrize("method", ["accelerated", "accelerated_em", "lbfgs"])
def test_units_of_the_data_are_undone(method):
    small = train(DISTINCT.covariance, 3, beta=1.5, method=method)
    large = train(1e6 * DISTINCT.covariance, 3, beta=1.5, method=method)
    assert large.loss == pytest.approx(small.loss + 2.5 * np.log(1e6), abs=1e-10)
    np.testing.assert_allclose(large.vae.decoder, 1e3 * small.vae.decoder, rtol=0, atol=1e-4)
    assert large.vae.noise_variance == pytest.approx(1e6 * small.vae.noise_variance, rel=1e-7)


def test_close_eigenvalues_hold_back_plain_descent_and_adam():
    """Eigenvalues 1 percent apart: the rotation to the axes is nearly free, and only curvature finishes it."""
    eigenvalues, beta, noise = [2.0, 1.98, 0.4, 0.3], 1.0, 0.2
    best = closed_form(eigenvalues, 2, beta, noise)[0]

    def excess(method, max_steps):
        run = train(
            np.diag(eigenvalues), 2, beta=beta, noise_variance=noise, method=method, max_steps=max_steps,
            rng=np.random.default_rng(1),
        )  # fmt: skip
        columns = run.vae.decoder / np.linalg.norm(run.vae.decoder, axis=0)
        return run.loss - best, np.abs(columns[:2]).max(axis=0).min(), run.stopped

    gap, alignment, stopped = excess("accelerated", 20_000)
    assert stopped == "gradient"
    assert gap < 1e-11
    assert alignment > 1 - 1e-6  # an angle of 1e-3: this direction curves so little that the gradient sees no less
    gap, alignment, stopped = excess("gradient", 20_000)
    assert stopped == "max_steps"
    assert 1e-6 < gap < 1e-4
    assert alignment < 0.8  # .717: about 44 degrees away from the axes
    gap, alignment, stopped = excess("adam", 20_000)
    assert stopped == "max_steps"
    assert 1e-7 < gap < 1e-4
    assert alignment < 0.99


@pytest.mark.parametrize("method", ["gradient", "adam"])
def test_the_other_methods_reach_the_optimum_of_an_easy_problem(method):
    best = closed_form([2.0, 1.0, 0.4, 0.3], 2, 1.0, 0.2)[0]
    run = train(np.diag([2.0, 1.0, 0.4, 0.3]), 2, beta=1.0, noise_variance=0.2, method=method)
    assert run.stopped == "gradient"
    assert run.loss - best == pytest.approx(0.0, abs=1e-10)


def test_constant_steps_of_adam_keep_it_from_settling():
    """On eight modes Adam still moves after 20,000 steps, 1e-4 nats above the optimum that the others reach."""
    eigenvalues = geometric(8, 2.0)
    best = closed_form(eigenvalues, 4, 1.0, "learned")[0]
    for method in ("accelerated", "gradient"):
        run = train(np.diag(eigenvalues), 4, beta=1.0, method=method)
        assert run.stopped == "gradient"
        assert run.loss - best == pytest.approx(0.0, abs=1e-10)
    for seed in range(3):
        run = train(np.diag(eigenvalues), 4, beta=1.0, method="adam", rng=np.random.default_rng(seed))
        assert run.stopped == "max_steps"
        assert run.gradient_norm > 1e-3
        assert 5e-5 < run.history[-5000:].mean() - best < 2e-4  # each step is far above or below that by chance


@pytest.mark.parametrize("seed", range(4))
def test_a_strict_saddle_does_not_hold_the_descent(seed):
    """From the saddle that explains modes 1 and 3 instead of 1 and 2, where the gradient alone would end it."""
    eigenvalues, beta, noise = np.array([2.0, 1.0, 0.5, 0.3]), 1.0, 0.2
    problem = training_problem(np.diag(eigenvalues), 2, noise, None, "diagonal")
    decoder, encoder = np.zeros((4, 2)), np.zeros((4, 2))
    for latent, mode in enumerate([0, 2]):
        decoder[mode, latent] = np.sqrt((eigenvalues[mode] - beta * noise) / problem.unit)
        encoder[mode, latent] = np.sqrt((eigenvalues[mode] - beta * noise) / eigenvalues[mode])
    triangle = np.diag(np.log(beta * noise / eigenvalues[[0, 2]]) / 2)
    theta = np.concatenate([decoder.T.ravel(), encoder.T.ravel(), triangle.ravel(), [np.log(problem.noise)]])
    best = closed_form(eigenvalues, 2, beta, noise)[0] - problem.loss_offset(Weights.uniform(beta))

    def descend(perturbation):
        settings = (
            problem.objective(Weights.uniform(beta)),
            perturbation,
            descent.Limits(0.01, 1e-8, 20_000),
            np.empty(0),
        )
        return descent.accelerated(theta.copy(), *settings)

    steps, at_saddle, norm, _ = descend(perturbation=np.zeros(len(theta)))
    assert steps < 100
    assert norm < 1e-8
    assert at_saddle - best > 0.1
    perturbation = 1e-3 * problem.mask * np.random.default_rng(seed).standard_normal(len(theta))
    _, loss, _, end = descend(perturbation)
    assert end == descent.GRADIENT
    assert loss - best == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize(
    ("eigenvalues", "latent_dim", "beta"),
    [((3.0, 1.8, 0.9, 0.3), 4, 0.5), ((3.0, 1.8, 0.9, 0.3, 0.0, 0.0), 5, 1.0), ((0.0, 0.0, 0.0), 2, 1.0)],
    ids=["K = D", "K > rank", "no variance"],
)
def test_noise_that_runs_to_zero_is_reported(eigenvalues, latent_dim, beta, posterior):
    run = train(np.diag(eigenvalues), latent_dim, beta=beta, posterior=posterior)
    assert run.stopped == "diverged"
    assert run.vae.noise_variance < 1e-6 * (max(eigenvalues) or 1.0)
    assert run.history[-1] < run.history[0] - 3


@pytest.mark.parametrize("method", ["accelerated", "gradient", "adam", "lbfgs", "em", "rotated_em", "accelerated_em"])
def test_a_loss_without_a_lower_bound_has_one_word_in_every_method(method):
    """Whether there is one depends on rank and beta (theory.learning.learned_noise), not on how far a method comes."""
    for steps in (0, 30, 3000):
        run = train(np.diag([3.0, 1.8, 0.9]), 3, beta=0.9, method=method, max_steps=steps)
        assert run.stopped == "diverged"
    assert train(np.diag([3.0, 1.8, 0.9]), 3, beta=1.0, method=method, max_steps=30).stopped != "diverged"


# The optimum of diag(r, 1, 1) with one latent at beta = 1 is probabilistic PCA: noise 1, the mean of what is left.
@pytest.mark.parametrize("ratio", [1e5, 9e5, 1e7, 1e9, 1e12])
@pytest.mark.parametrize("method", ["auto", "rotated_em", "lbfgs"])
def test_a_small_learned_noise_is_found_at_any_size_of_the_largest_eigenvalue(method, ratio):
    """The covariance holds it to machine epsilon times its ratio, and so does the loss, some of whose terms cancel."""
    run = train(np.diag([ratio, 1.0, 1.0]), 1, beta=1.0, method=method, max_steps=2000)
    rounding = 1e-15 * ratio
    assert run.vae.noise_variance == pytest.approx(1.0, rel=1e-7 + rounding)
    assert run.loss - closed_form([ratio, 1.0, 1.0], 1, 1.0, "learned")[0] == pytest.approx(0.0, abs=1e-10 + rounding)
    assert run.stopped in ("gradient", "stalled", "max_steps")


@pytest.mark.parametrize("method", ["accelerated", "gradient", "adam", "em"])
def test_slower_methods_say_that_a_small_noise_takes_more_steps(method):
    run = train(np.diag([1e7, 1.0, 1.0]), 1, beta=1.0, method=method, max_steps=3000)
    assert run.stopped == "max_steps"
    assert run.gradient_norm > 1e-3
    assert run.loss > closed_form([1e7, 1.0, 1.0], 1, 1.0, "learned")[0] + 1e-6


def test_the_default_finds_a_small_noise():
    run = train(np.diag([1e7, 1.0, 1.0]), 1, beta=1.0)
    assert (run.stopped, run.vae.noise_variance) == ("gradient", pytest.approx(1.0, abs=1e-7))


@pytest.mark.parametrize("beta", [0.3, 1.7])
@pytest.mark.parametrize("ratio", [1e4, 1e8])
def test_a_small_learned_noise_of_several_modes(ratio, beta):
    eigenvalues = np.array([ratio, ratio / 3, ratio**0.5, 1.0, 0.6, 0.2])
    basis = orthogonal(6, np.random.default_rng(1))
    run = train((basis * eigenvalues) @ basis.T, 3, beta=beta)
    loss, noise, _ = closed_form(eigenvalues, 3, beta, "learned")
    assert run.vae.noise_variance == pytest.approx(noise, rel=1e-7 + 1e-15 * ratio)
    assert run.loss - loss == pytest.approx(0.0, abs=1e-10 + 1e-15 * ratio)


@pytest.mark.parametrize("beta", [1.0 / 0.98, 2.0])
def test_noise_of_a_full_rank_model_settles_above_its_critical_beta(beta):
    eigenvalues = [3.0, 1.8, 0.9, 0.3]
    run = train(np.diag(eigenvalues), 4, beta=beta)
    loss, noise, _ = closed_form(eigenvalues, 4, beta, "learned")
    assert run.stopped == "gradient"
    assert run.loss - loss == pytest.approx(0.0, abs=1e-10)
    # beta = 2 is exactly where all latents collapse: the loss is quartic there, and flat to rounding this far away
    assert run.vae.noise_variance == pytest.approx(noise, abs=1e-5 if beta == 2.0 else 1e-6)


def test_no_latents():
    run = train(DISTINCT.covariance, 0, beta=1.0)
    assert run.stopped == "gradient"
    assert run.vae.decoder.shape == (5, 0)
    assert run.vae.noise_variance == pytest.approx(np.mean(DISTINCT.eigenvalues), rel=1e-8)


def test_no_variance_at_fixed_noise_collapses():
    run = train(np.zeros((3, 3)), 2, beta=1.0, noise_variance=0.5)
    assert run.stopped == "gradient"
    assert not run.vae.encoder.any()
    np.testing.assert_allclose(run.vae.posterior_covariance, np.eye(2), atol=1e-7)
    assert run.loss == pytest.approx(1.5 * np.log(np.pi), abs=1e-10)


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_more_latents_than_dimensions(posterior):
    run = train(DISTINCT.covariance, 7, beta=1.5, noise_variance=0.4, posterior=posterior)
    assert run.stopped == "gradient"
    assert run.loss - closed_form(DISTINCT.eigenvalues, 7, 1.5, 0.4)[0] == pytest.approx(0.0, abs=1e-10)


def test_steps_may_run_out_and_a_tolerance_may_be_out_of_reach():
    short = train(DISTINCT.covariance, 3, beta=1.5, max_steps=4)
    assert (short.stopped, short.steps) == ("max_steps", 4)
    assert short.gradient_norm > 1e-8
    assert train(DISTINCT.covariance, 3, beta=1.5, max_steps=0).steps == 0
    hopeless = train(DISTINCT.covariance, 3, beta=1.5, gradient_tolerance=1e-30)
    assert hopeless.stopped in ("stalled", "max_steps")
    assert hopeless.gradient_norm < 1e-8


def test_the_generator_decides_the_run():
    first, again = train(DISTINCT.covariance, 3, beta=1.5), train(DISTINCT.covariance, 3, beta=1.5)
    named = train(DISTINCT.covariance, 3, beta=1.5, rng=np.random.default_rng(0))
    other = train(DISTINCT.covariance, 3, beta=1.5, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(first.history, again.history)
    np.testing.assert_array_equal(first.history, named.history)
    assert first.history[0] != other.history[0]
    for seed in (1, np.uint8(1), np.random.SeedSequence(1)):
        np.testing.assert_array_equal(train(DISTINCT.covariance, 3, beta=1.5, rng=seed).history, other.history)


def test_moments_bring_their_mean():
    moments = Moments(100, np.arange(5.0), DISTINCT.covariance)
    np.testing.assert_array_equal(train(moments, 2, beta=1.0).vae.mean, np.arange(5.0))
    assert train(DISTINCT.covariance, 2, beta=1.0).vae.mean is None


WEIGHTS = {"beta": Weights(between=2.0)}
PRIOR = {"prior": np.diag([2.0, 1.0, 1.0])}
FIXED = {"decoder": np.ones((5, 3))}


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({}, "accelerated_em"),
        (FIXED, "em"),
        (WEIGHTS, "accelerated"),
        (PRIOR, "accelerated"),
        (FIXED | PRIOR, "accelerated"),
    ],
    ids=["free", "fixed", "weights", "prior", "fixed, prior"],
)
def test_what_auto_means(changes, meant):
    arguments = {"beta": 1.5, "max_steps": 30} | changes
    found, expected = (train(DISTINCT.covariance, 3, **arguments, method=method) for method in ("auto", meant))
    np.testing.assert_array_equal(found.history, expected.history)
    equal_weights = train(DISTINCT.covariance, 3, **(arguments | {"beta": Weights.uniform(1.5)}), method="auto")
    if "beta" not in changes:
        np.testing.assert_array_equal(equal_weights.history, found.history)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "em"} | WEIGHTS, r"method 'em' takes one weight beta and the prior N\(0, I\) only"),
        ({"method": "lbfgs"} | PRIOR, r"method 'lbfgs' takes one weight beta and the prior N\(0, I\) only"),
        (
            {"method": "rotated_em"} | FIXED,
            "method 'rotated_em' optimises the decoder, but `decoder` is fixed; use 'em'",
        ),
        ({"method": "accelerated_em"} | FIXED, "method 'accelerated_em' optimises the decoder"),
        ({"method": "lbfgs"} | FIXED, "method 'lbfgs' optimises the decoder"),
        ({"method": "em", "gradient_tolerance": 0}, "gradient_tolerance must be > 0"),
        ({"method": "lbfgs", "max_steps": 1.5}, "max_steps must be a whole number"),
    ],
)
def test_what_a_method_cannot_train_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        train(DISTINCT.covariance, 3, **({"beta": 1.0} | changes))


def test_a_sweep_takes_the_compiled_methods_only():
    for method in ("em", "auto"):
        with pytest.raises(
            ValueError, match=f"method must be one of 'accelerated', 'gradient', 'adam', got '{method}'"
        ):
            sweep(DISTINCT.covariance, 3, betas=[1.0], method=method)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"beta": 0.0}, "beta must be > 0"),
        ({"latent_dim": -1}, "latent_dim must be >= 0"),
        ({"noise_variance": "true"}, "noise_variance must be a number or 'learned'"),
        ({"noise_variance": 0.0}, "noise_variance must be > 0"),
        ({"decoder": np.ones((5, 2))}, "decoder must be 5 x 3"),
        ({"posterior": "mean field"}, "posterior must be"),
        ({"method": "newton"}, "method must be one of 'accelerated', 'gradient', 'adam'"),
        ({"gradient_tolerance": 0}, "gradient_tolerance must be > 0"),
        ({"learning_rate": -1}, "learning_rate must be > 0"),
        ({"learning_rate": 1e3, "method": "adam"}, "learning_rate must be small enough .* 1000.0 overflowed"),
        ({"beta": Weights(1, 1, 1, -1), "method": "adam"}, "overflowed; or beta must leave the loss a lower bound"),
        ({"max_steps": -1}, "max_steps must be >= 0"),
        ({"rng": 3.0}, "rng must be a numpy.random.Generator or a seed"),
        ({"covariance": -np.eye(5)}, "covariance must have no negative eigenvalue"),
    ],
)
def test_misuse_is_named(changes, message):
    arguments = {"covariance": DISTINCT.covariance, "latent_dim": 3, "beta": 1.0} | changes
    covariance, latent_dim = arguments.pop("covariance"), arguments.pop("latent_dim")
    with pytest.raises(ValueError, match=message):
        train(covariance, latent_dim, **arguments)


@pytest.mark.parametrize("noise", ["learned", 1e5])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_variances_of_graded_covariances_are_those_of_the_closed_form(latent_dim, noise):
    """diag(1e16, 1, 1e-16) has rank 3: variables say how small they are, whatever the largest is."""
    covariance = np.diag([1e16, 1.0, 1e-16])
    problem = training_problem(covariance, latent_dim, noise, None, "diagonal")
    eigenvalues = optimum(covariance, latent_dim, noise_variance=noise).eigenvalues
    np.testing.assert_allclose(problem.unit * problem.standard_deviations**2, eigenvalues, rtol=1e-15)
    assert not problem.unbounded(Weights.uniform(1.0))


@pytest.mark.parametrize("method", ["auto", "em", "lbfgs"])
def test_a_noise_that_rounding_hides_is_unresolved(method):
    """The optimum has noise 1e-8, 1e-16 of the largest variance: terms of 1e16 cancel in a loss of 4.26 nats.

    The variance 1e-8 was taken for rounding, and the run called "diverged", 12 nats above.
    """
    run = train(np.diag([1e8, 1.0, 1e-8]), 2, beta=1.0, method=method, max_steps=2_000)
    assert run.stopped == "unresolved"


def test_a_fixed_noise_that_rounding_hides_is_refused():
    """Terms of 1e18 cancelled in the loss, which came out as -170.3 for 51.5, or 5e9 - 81 for 5e9 + 39."""
    with pytest.raises(ValueError, match=r"noise_variance must be between 2e-13 and 1e\+40 times the largest variance"):
        train(np.diag([1e8, 1.0, 1e-8]), 2, beta=1.0, noise_variance=1e-10)


def test_a_ratio_that_a_method_cannot_solve_with_is_named():
    with pytest.raises(ValueError, match=r"for method 'accelerated_em', which solves with their ratio; use method="):
        train(np.diag([1e8, 1.0, 1e-8]), 3, beta=1.0)


@pytest.mark.parametrize("method", ["accelerated", "gradient", "auto"])
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-16, 1e-14])
def test_a_noise_far_above_all_variance(method, size):
    """All latents collapse. In units of the data the first step was so long that no halving brought it to the optimum:
    the run "stalled" where it began, 5 to 13 nats above. And without variance, units of the noise must not matter.
    """
    for noise in (1e-25, 1.0, 1e25):
        run = train(size * noise * np.diag([1.0, 0.5]), 2, beta=3.0, noise_variance=noise, method=method)
        assert run.stopped == "gradient"
        assert run.loss == pytest.approx(1.0 * np.log(2 * np.pi * noise) + size * 0.75, abs=1e-10)
