from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from numerics.diagnosis import certificate, landscape
from numerics.diagnosis.certificate import certify
from numerics.kernels.objective import Objective, value_and_gradient, views
from tests.cases import CASES, orthogonal
from theory import LinearVAE, Moments, elbo_terms, optimal_encoder, optimum
from theory.axes import rotate

FAMILIES = ["diagonal", "full", [[0, 2], [1]]]
SPECTRUM = np.array([4.0, 2.5, 1.2, 0.6, 0.3])
BETA, NOISE = 1.3, 0.4
COVARIANCE = np.diag(SPECTRUM)


def arbitrary_vae(posterior, seed=0) -> tuple[LinearVAE, Moments]:
    """Far from every stationary point, on data whose mean it misses."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((4, 4))
    data = Moments(0, rng.standard_normal(4), mixing @ mixing.T / 3)
    root = np.tril(0.3 * rng.standard_normal((3, 3)), -1) + np.diag([0.5, 0.8, 1.1])
    covariance = root @ root.T
    if posterior == "diagonal":
        covariance = np.diag(np.diagonal(covariance))
    elif posterior != "full":
        covariance[1, [0, 2]] = covariance[[0, 2], 1] = 0
    decoder, encoder = rng.standard_normal((4, 3)), 0.4 * rng.standard_normal((3, 4))
    return LinearVAE(decoder, encoder, covariance, 0.7, data.mean + 0.2), data


def loss_in_stated_units(vae, data, beta, posterior, learned_decoder, learned_noise):
    """The loss from `theory.elbo_terms` as a function of the module's parameters, written with symmetric roots."""
    offset = data.mean - vae.mean
    second_moment = data.covariance + np.outer(offset, offset)
    data_root = sqrtm(second_moment).real
    level = beta * vae.noise_variance
    shape = vae.decoder.shape
    code_root = sqrtm(vae.encoder @ second_moment @ vae.encoder.T + vae.posterior_covariance).real
    precision_root = sqrtm(np.eye(3) + vae.decoder.T @ vae.decoder / level).real
    root = np.linalg.cholesky(vae.posterior_covariance)
    groups = {"diagonal": [[0], [1], [2]], "full": [[0, 1, 2]]}.get(
        posterior if isinstance(posterior, str) else "", posterior
    )
    free = [(i, j) for group in groups for i in group for j in group if i >= j]
    size = vae.decoder.size

    def loss(x):
        x = x / np.sqrt(beta)
        encoder = np.linalg.inv(precision_root) @ x[:size].reshape(3, 4) @ np.linalg.inv(data_root)
        factor = np.eye(3)
        for value, (i, j) in zip(x[size : size + len(free)], free, strict=True):
            factor[i, j] = np.exp(value) if i == j else value
        rest = x[size + len(free) :]
        decoder, noise = vae.decoder, vae.noise_variance
        if learned_decoder:
            decoder = rest[:size].reshape(shape) @ np.linalg.inv(code_root) * np.sqrt(level)
        if learned_noise:
            noise = noise * np.exp(rest[-1] * np.sqrt(beta) / np.sqrt(shape[0] / 2))
        moved = root @ factor
        return elbo_terms(LinearVAE(decoder, encoder, moved @ moved.T, noise, vae.mean), data).loss(beta)

    origin = [(precision_root @ vae.encoder @ data_root).ravel() * np.sqrt(beta), np.zeros(len(free))]
    if learned_decoder:
        origin.append((vae.decoder @ code_root).ravel() * np.sqrt(beta / level))
    if learned_noise:
        origin.append(np.zeros(1))
    return loss, np.concatenate(origin)


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
@pytest.mark.parametrize(
    ("learned_decoder", "learned_noise"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_gradient_and_curvature_are_those_of_the_objective(posterior, learned_decoder, learned_noise):
    vae, data = arbitrary_vae(posterior)
    options = {"posterior": posterior, "learned_decoder": learned_decoder, "learned_noise": learned_noise}
    found = certify(vae, data, BETA, **options)
    loss, x = loss_in_stated_units(vae, data, BETA, **options)
    assert found.parameters == len(x)

    step, axes = 1e-3, np.eye(len(x))
    values = {s: [loss(x + s * step * axis) for axis in axes] for s in (-2, -1, 1, 2)}
    gradient = (8 * (np.array(values[1]) - values[-1]) - (np.array(values[2]) - values[-2])) / (12 * step)
    # Fourth-order differences: truncation 1e-12 times a fifth derivative, rounding 1e-12.
    assert found.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-8)

    cross = [
        [
            loss(x + step * (a + b)) - loss(x + step * (a - b)) - loss(x - step * (a - b)) + loss(x - step * (a + b))
            for b in axes
        ]
        for a in axes
    ]
    hessian = np.array(cross) / (4 * step**2)
    # Second-order differences: truncation 1e-6 times a fourth derivative.
    assert found.curvature == pytest.approx(np.linalg.eigvalsh(hessian)[0], abs=2e-4)


def test_gradient_agrees_with_the_training_kernel():
    vae, data = arbitrary_vae("full", seed=1)
    centred = replace(vae, mean=None)
    eigenvalues, axes = np.linalg.eigh(data.covariance)
    roots = np.sqrt(eigenvalues[::-1])
    axes = axes[:, ::-1]
    factor = np.linalg.cholesky(vae.posterior_covariance)
    triangle = np.tril(factor, -1) + np.diag(np.log(np.diagonal(factor)))
    decoder, encoder = axes.T @ vae.decoder, (vae.encoder @ axes * roots).T
    theta = np.concatenate([decoder.T.ravel(), encoder.T.ravel(), triangle.ravel(), [np.log(vae.noise_variance)]])
    gradient = np.empty_like(theta)
    loss = Objective(roots, np.full(4, BETA), np.tile(np.arange(3), (3, 1)), np.eye(3), np.ones_like(theta))
    at, to = (views(vector, 3, 4) for vector in (theta, gradient))
    value_and_gradient(at, loss, to, np.empty((5, 3, 3)))

    size = decoder.size
    to_decoder, to_encoder = gradient[:size].reshape(3, 4).T, gradient[size : 2 * size].reshape(3, 4).T
    to_triangle = gradient[2 * size : -1].reshape(3, 3)
    code_root = np.linalg.cholesky(encoder.T @ encoder + vae.posterior_covariance)
    precision_root = np.linalg.cholesky(np.eye(3) + decoder.T @ decoder / (BETA * vae.noise_variance))
    # d loss / dF, then dF = R dT; a log diagonal differs from a diagonal entry of F by that entry.
    to_factor = np.tril(to_triangle, -1) + np.diag(np.diagonal(to_triangle) / np.diagonal(factor))
    pieces = [
        np.sqrt(vae.noise_variance) * to_decoder @ np.linalg.inv(code_root).T,
        to_encoder @ np.linalg.inv(precision_root).T / np.sqrt(BETA),
        np.tril(factor.T @ to_factor) / np.sqrt(BETA),
        gradient[-1:] / np.sqrt(4 / 2),
    ]
    norm = np.sqrt(sum(np.sum(piece**2) for piece in pieces))
    found = certify(centred, data.covariance, BETA, learned_noise=True, posterior="full")
    assert found.gradient_norm == pytest.approx(norm, rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("learned_noise", [False, True])
@pytest.mark.parametrize("posterior", ["diagonal", "full"])
def test_closed_form_optima_are_certified(case, learned_noise, posterior):
    noise = "learned" if learned_noise else case.noise_variance
    best = optimum(case.covariance, case.latent_dim, beta=case.beta, noise_variance=noise, posterior=posterior)
    found = certify(best.vae, case.covariance, case.beta, learned_noise=learned_noise, posterior=posterior)
    assert found.stationary()
    assert found.minimum()
    assert found.curvature > -1e-12


def test_curvature_is_positive_only_where_the_optimum_is_isolated():
    best = optimum(COVARIANCE, 3, beta=BETA, noise_variance=NOISE).vae
    assert certify(best, COVARIANCE, BETA).curvature > 1e-3
    assert abs(certify(best, COVARIANCE, BETA, posterior="full").curvature) < 1e-12


def test_a_mode_left_out_is_a_saddle():
    level = BETA * NOISE
    small = optimum(COVARIANCE, 1, beta=BETA, noise_variance=NOISE).vae
    padded = LinearVAE(
        np.pad(small.decoder, ((0, 0), (0, 1))),
        np.pad(small.encoder, ((0, 1), (0, 0))),
        np.diag([small.posterior_covariance[0, 0], 1.0]),
        NOISE,
    )
    found = certify(padded, COVARIANCE, BETA)
    assert found.stationary()
    assert not found.minimum()
    assert found.curvature == pytest.approx(1 - np.sqrt(SPECTRUM[1] / level), abs=1e-12)


def test_a_weaker_mode_in_the_place_of_a_stronger_one_is_a_saddle():
    swapped = np.diag(SPECTRUM[[0, 2, 1, 3, 4]])
    vae = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE).vae
    exchanged = optimum(np.diag([4.0, 1.2, 0.6, 0.3, 0.2]), 2, beta=BETA, noise_variance=NOISE).vae
    assert certify(vae, COVARIANCE, BETA).minimum()
    found = certify(exchanged, swapped, BETA)  # modes 4 and 1.2, while 2.5 is left out
    assert found.stationary()
    assert found.curvature < -0.1


def test_a_perturbed_weight_has_a_gradient_that_tells_the_excess_loss():
    best = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE)
    for size in (1e-7, 1e-2):
        wrong = replace(best.vae, decoder=best.vae.decoder * (1 + size))
        found = certify(wrong, COVARIANCE, BETA)
        assert not found.stationary()
        assert not found.minimum()
    excess = elbo_terms(wrong, COVARIANCE).loss(BETA) - best.loss
    assert excess < found.gradient_norm**2 / 2 < 10 * excess


@pytest.mark.parametrize(
    "wrong",
    [
        lambda vae: replace(vae, encoder=vae.encoder * (1 + 1e-6)),
        lambda vae: replace(vae, posterior_covariance=vae.posterior_covariance * (1 + 1e-6)),
        lambda vae: replace(vae, noise_variance=vae.noise_variance * (1 + 1e-6)),
    ],
    ids=["encoder", "posterior covariance", "noise"],
)
def test_every_parameter_counts(wrong):
    best = optimum(COVARIANCE, 2, beta=BETA).vae
    assert certify(best, COVARIANCE, BETA, learned_noise=True).minimum()
    assert not certify(wrong(best), COVARIANCE, BETA, learned_noise=True).stationary()


def test_rotated_latents_are_optimal_for_the_full_posterior_only():
    best = optimum(COVARIANCE, 3, beta=BETA, noise_variance=NOISE).vae
    rotated = rotate(best, orthogonal(3, np.random.default_rng(0)))
    assert certify(rotated, COVARIANCE, BETA, posterior="full").minimum()
    truncated = replace(rotated, posterior_covariance=np.diag(np.diagonal(rotated.posterior_covariance)))
    assert not certify(truncated, COVARIANCE, BETA).stationary()


@pytest.mark.parametrize("posterior", FAMILIES, ids=str)
def test_best_encoder_of_a_fixed_decoder(posterior):
    decoder = np.random.default_rng(0).standard_normal((5, 3))
    vae = optimal_encoder(decoder, NOISE, BETA, posterior=posterior)
    fixed = certify(vae, COVARIANCE, BETA, learned_decoder=False, posterior=posterior)
    assert fixed.stationary()
    assert fixed.curvature > 0.1
    assert not certify(vae, COVARIANCE, BETA, posterior=posterior).stationary()


def test_directions_without_variance_are_not_asked_about():
    covariance = np.diag([3.0, 1.0, 0.0, 0.0])
    best = optimum(covariance, 2, beta=BETA, noise_variance=NOISE).vae
    unseen = replace(best, encoder=best.encoder + np.array([[0, 0, 5.0, 0], [0, 0, 0, 5.0]]))
    assert certify(unseen, covariance, BETA) == certify(best, covariance, BETA)
    assert certify(best, covariance, BETA).curvature > 1e-3


def test_without_latents_only_the_noise_is_learned():
    best = optimum(COVARIANCE, 0, beta=BETA).vae
    found = certify(best, COVARIANCE, BETA, learned_noise=True)
    assert found.parameters == 1
    assert found.minimum()
    assert found.curvature == pytest.approx(1, abs=1e-12)
    nothing = certify(best, COVARIANCE, BETA)
    assert (nothing.parameters, nothing.gradient_norm, nothing.curvature) == (0, 0, np.inf)


def test_data_without_variance():
    best = optimum(np.zeros((3, 3)), 2, beta=BETA, noise_variance=NOISE).vae
    assert certify(best, np.zeros((3, 3)), BETA).minimum()


def test_blocks_and_the_whole_hessian_have_the_same_least_eigenvalue(monkeypatch):
    covariance = (basis := orthogonal(8, np.random.default_rng(0))) * np.geomspace(5, 0.1, 8) @ basis.T
    covariance = (covariance + covariance.T) / 2
    for noise in (0.2, "learned"):
        for posterior in ("diagonal", "full"):
            best = optimum(covariance, 4, beta=BETA, noise_variance=noise).vae
            options = {"learned_noise": noise == "learned", "posterior": posterior}
            by_blocks = certify(best, covariance, BETA, **options)
            with monkeypatch.context() as patch:
                patch.setattr(landscape, "LINKED", -1.0)  # everything is linked to everything
                whole = certify(best, covariance, BETA, **options)
            assert by_blocks.curvature == pytest.approx(whole.curvature, abs=1e-13)


def test_iteration_finds_the_least_eigenvalue_to_what_it_promises(monkeypatch):
    rng = np.random.default_rng(0)
    covariance = np.diag(5.0 / np.arange(1, 41))
    best = optimum(covariance, 5, beta=BETA).vae
    saddle = optimum(np.diag(np.append(covariance.diagonal()[1:], 0.05)), 5, beta=BETA, noise_variance=0.1).vae
    for vae, data in ((best, covariance), (saddle, covariance[::-1, ::-1])):
        astray = replace(vae, decoder=vae.decoder + 1e-4 * rng.standard_normal(vae.decoder.shape))
        exact = certify(astray, data, BETA).curvature
        with monkeypatch.context() as patch:
            patch.setattr(certificate, "DENSE", 100)
            assert -1e-9 <= certify(astray, data, BETA).curvature - exact < 2e-3


def test_large_problems_are_certified():
    covariance = np.diag(10.0 / np.arange(1, 785))
    best = optimum(covariance, 64, beta=1.0)
    found = certify(best.vae, covariance, 1.0, learned_noise=True)
    assert found.parameters == 2 * 784 * 64 + 64 + 1
    assert found.minimum()
    assert found.curvature > 1e-7


def test_bad_input():
    vae, data = arbitrary_vae("full")
    with pytest.raises(ValueError, match="posterior_covariance has entries outside the family 'diagonal'"):
        certify(vae, data, BETA)
    with pytest.raises(ValueError, match="beta must be > 0"):
        certify(vae, data, 0, posterior="full")
    with pytest.raises(ValueError, match="covariance must be 4 x 4"):
        certify(vae, np.eye(3), BETA, posterior="full")
    with pytest.raises(ValueError, match="no negative eigenvalue"):
        certify(vae, np.diag([1.0, 1, 1, -1]), BETA, posterior="full")


@pytest.mark.parametrize("ratio", [1e3, 1e8, 1e12])
@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("beta", [0.4, 1.0])
def test_a_noise_far_below_the_variance_is_certified(ratio, rotated, beta):
    """Probabilistic PCA of diag(ratio, 1, .8): what is left of the first mode must not drown in the rounding of it.

    A noise that is wrong by a thousandth is told apart at any ratio: its slope alone is D/2 times that, over sqrt(D/2).
    """
    eigenvalues = np.array([ratio, 1.0, 0.8])
    basis = orthogonal(3, np.random.default_rng(0)) if rotated else np.eye(3)
    covariance = (basis * eigenvalues) @ basis.T
    covariance = (covariance + covariance.T) / 2
    vae = optimum(covariance, 1, beta=beta).vae
    assert certify(vae, covariance, beta, learned_noise=True).minimum()
    wrong = certify(replace(vae, noise_variance=1.001 * vae.noise_variance), covariance, beta, learned_noise=True)
    assert not wrong.stationary()
    assert 0.99e-3 * np.sqrt(3 / 2) < wrong.gradient_norm < 2e-3 * np.sqrt(3 / 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vae": None}, "vae must be a LinearVAE, got None: the noise ran to zero"),
        ({"vae": COVARIANCE}, "vae must be a LinearVAE"),
        ({"learned_noise": 1}, "learned_noise must be True or False"),
        ({"beta": 1e308}, "covariance, beta and vae must have sizes whose products do not overflow"),
        ({"beta": 5e-324}, "covariance, beta and vae must have sizes whose products do not overflow"),
        ({"covariance": 1e300 * COVARIANCE}, "covariance must be zero or between"),
    ],
)
def test_what_is_no_model_or_no_size_is_named(arguments, message):
    arguments = {"vae": optimum(COVARIANCE, 2, beta=BETA).vae, "covariance": COVARIANCE, "beta": BETA} | arguments
    with pytest.raises(ValueError, match=message):
        certify(**arguments)


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
@pytest.mark.parametrize(("eigenvalues", "noise"), [([1e8, 1.0, 1e-8], "learned"), ([1e16, 1.0, 1e-16], 1e3)])
def test_the_optimum_of_a_graded_covariance_is_a_minimum_and_nothing_near_it(eigenvalues, noise, latent_dim):
    """Its small variances are not rounding: the gradient was .41 of the noise, or the curvature -.99."""
    covariance = np.diag(eigenvalues)
    vae = optimum(covariance, latent_dim, noise_variance=noise).vae
    learned = noise == "learned"
    found = certify(vae, covariance, 1.0, learned_noise=learned)
    assert found.minimum()
    assert found.curvature <= 1 + 1e-12
    moved = replace(vae, encoder=1.1 * vae.encoder)
    assert not certify(moved, covariance, 1.0, learned_noise=learned).stationary()


def test_where_rounding_hides_a_gradient_is_refused():
    """1e-11 of the scale 1e16 would let any gradient below 1e5 pass for zero."""
    covariance = np.diag([1e16, 1.0, 1e-16])
    with pytest.raises(ValueError, match=r"vae.noise_variance is 1e-16, too small .*: rounding would hide a gradient"):
        certify(optimum(covariance, 2).vae, covariance, 1.0, learned_noise=True)
