"""What the functions of `theory.priors` compute, on the pages of the chapter priors."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.differentiate import derivative
from scipy.stats import special_ortho_group

import theory
from theory.derivations.engine.tie import Formula, Tie
from theory.derivations.ties.inputs import random_covariance, random_model
from theory.objective import loss_from_parts
from theory.partition import partition, partition_mask
from theory.priors import (
    ClusterPrior,
    GaussianPrior,
    SpikeSlabPrior,
    StudentPrior,
    gaussian_log_normaliser,
    nearest_gaussian,
    student_log_normaliser,
)

__all__ = ["TIES", "UNTIED"]

WEIGHTS = (0.4, 1.0, 2.5)


def _log_normaliser(gaussian_log_normaliser, formula):
    """One integral for each axis of the prior."""
    rng = np.random.default_rng(1)
    for size in (1, 3, 4):
        prior = random_covariance(size, rng)
        for beta in WEIGHTS:
            integrals = formula(s=np.sqrt(np.linalg.eigvalsh(prior)), beta=beta)
            yield gaussian_log_normaliser(prior, beta), np.log(integrals).sum()


def _log_normaliser_of_any_size(gaussian_log_normaliser, formula):
    rng = np.random.default_rng(1)
    for size in (1, 3, 4):
        prior = random_covariance(size, rng)
        for beta in WEIGHTS:
            yield gaussian_log_normaliser(prior, beta), formula(Pi=prior, beta=beta, K=size)


def _student_log_normaliser(student_log_normaliser, formula):
    """The density at zero is one over the integral at weight 1, where b is half of nu."""
    for nu, b, latent_dim in ((3.0, 0.4, 1), (0.7, 2.0, 3), (5.0, 0.05, 2), (8.0, 6.5, 4)):
        beta = (2 * b + 1) / (nu + 1)
        integral, at_one = formula(nu=nu, b=b), formula(nu=nu, b=nu / 2)
        wanted = latent_dim * (np.log(integral) - beta * np.log(at_one))
        yield student_log_normaliser(nu, beta, latent_dim=latent_dim), wanted


def _annealed(annealed_terms, formula):
    """The identity is linear in the logarithms, so that it holds for their means."""
    for vae, moments, prior, beta, mean in _annealing():
        found = annealed_terms(vae, moments, beta, prior=prior)
        terms = theory.elbo_terms(vae, moments)
        entropy = theory.gaussian.entropy(vae.posterior_covariance)
        yield -found.loss, formula(L_d=-terms.reconstruction, L_q=-entropy, L_p=mean, beta=beta)


def _annealed_divergence(annealed_terms, formula):
    for vae, moments, prior, beta, mean in _annealing():
        found = annealed_terms(vae, moments, beta, prior=prior)
        entropy = theory.gaussian.entropy(vae.posterior_covariance)
        if hasattr(prior, "log_density"):
            log_normaliser = student_log_normaliser(prior.degrees_of_freedom, beta, latent_dim=vae.latent_dim)
        else:
            log_normaliser = gaussian_log_normaliser(np.eye(vae.latent_dim) if prior is None else prior, beta)
        yield found.annealed_kl + found.entropy, -formula(L_p=mean, phi=log_normaliser, beta=beta)
        yield found.annealed_kl, -entropy - formula(L_p=mean, phi=found.log_normaliser, beta=beta)


def _annealing():
    """A VAE, moments of data whose mean is not its own, a prior, beta, and the mean of log p(z) over the code."""
    rng = np.random.default_rng(2)
    for data_dim, latent_dim, family in ((4, 3, "Gaussian"), (2, 4, "standard"), (3, 2, "Student")):
        vae = random_model(data_dim, latent_dim, rng, with_mean=True)
        moments = theory.Moments.of(rng.standard_normal((6, data_dim)) + 0.3)
        code = vae.encoder @ moments.covariance @ vae.encoder.T + vae.posterior_covariance
        code_mean = vae.encoder @ (moments.mean - vae.mean)
        covariance = random_covariance(latent_dim, rng)
        prior = {"Gaussian": covariance, "standard": None, "Student": StudentPrior(4.0, latent_dim)}[family]
        density = prior if family == "Student" else GaussianPrior(np.eye(latent_dim) if prior is None else prior)
        for beta in WEIGHTS:
            yield vae, moments, prior, beta, density.expected_log_density(code_mean, (code + code.T) / 2)


def _rescaled(quantity: str):
    """Means over the points of a data set; the reconstruction is the same before and after the scaling."""

    def cases(rescaled_terms, formula):
        rng = np.random.default_rng(3)
        for data_dim, latent_dim in ((4, 3), (2, 4)):
            vae, prior = random_model(data_dim, latent_dim, rng, with_mean=True), random_covariance(latent_dim, rng)
            data = rng.standard_normal((6, data_dim)) + 0.3
            for beta in WEIGHTS:
                found = rescaled_terms(vae, theory.Moments.of(data), beta, prior=prior)
                lost = theory.elbo_terms(vae, theory.Moments.of(data)).reconstruction
                numbers = {"Q": vae.posterior_covariance, "Pi": prior, "beta": beta, "K": latent_dim}
                means = (data - vae.mean) @ vae.encoder.T
                wanted = np.mean([formula(mu=mean[:, np.newaxis], **numbers) for mean in means])
                yield (lost - found.loss, wanted) if quantity == "loss" else (found.unit_loss - lost, wanted)

    return cases


def _rescaled_constant(rescaled_terms, formula):
    rng = np.random.default_rng(4)
    for data_dim, latent_dim in ((4, 3), (2, 4)):
        vae, prior = random_model(data_dim, latent_dim, rng), random_covariance(latent_dim, rng)
        for beta in (0.4, 2.5):
            found = rescaled_terms(vae, np.eye(data_dim), beta, prior=prior)
            yield found.constant, formula(Pi=prior, beta=beta, K=latent_dim)


def _nearest_to_student(nearest_gaussian, formula):
    """The mean over e of the slope in b has one root, at the variance of each latent."""
    places, masses = _normal_line(0.02)
    for nu, latent_dim in ((1.0, 1), (3.0, 2), (5.0, 3), (20.0, 2)):
        found = nearest_gaussian(StudentPrior(nu, latent_dim))[0]
        slopes = formula(b=np.diagonal(found)[:, np.newaxis], nu=nu, e=places) @ masses
        yield slopes, np.zeros(latent_dim)
        yield found, np.diag(np.diagonal(found))


def _least_divergence(nearest_gaussian, formula):
    """The mean of log q(z), which is the formula, minus that of log p(z)."""
    for prior in _priors():
        covariance, divergence = nearest_gaussian(prior)
        wanted = formula(M=covariance, K=prior.latent_dim) - _mean_log_density(prior, covariance)
        yield divergence, wanted


def _prior_optima(prior_optimum):
    """Optima for several priors, and those of the standard prior."""
    rng = np.random.default_rng(5)
    for prior, data_dim in zip(_priors(), (4, 2, 4, 3, 5), strict=True):
        covariance = random_covariance(data_dim, rng)
        beta, noise = 1.3, 0.2
        found = prior_optimum(covariance, prior, beta=beta, noise_variance=noise)
        yield (
            prior,
            covariance,
            found,
            theory.optimum(covariance, prior.latent_dim, beta=beta, noise_variance=noise).vae,
        )


def _code(vae, covariance) -> np.ndarray:
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    return (code + code.T) / 2


def _code_of_the_optimum(prior_optimum, formula):
    for prior, covariance, found, _ in _prior_optima(prior_optimum):
        wanted = formula(L_o=np.linalg.cholesky(nearest_gaussian(prior)[0]))
        yield found.aggregate, wanted
        yield _code(found.vae, covariance), wanted


def _distortion_of_the_optimum(prior_optimum, formula):
    for _, covariance, found, plain in _prior_optima(prior_optimum):
        for vae in (plain, found.vae):
            numbers = {"V": vae.encoder, "Q": vae.posterior_covariance, "W": vae.decoder, "S": covariance}
            wanted = formula(**numbers)
            yield found.distortion, wanted
            yield found.reconstruction, loss_from_parts(wanted, 0.0, found.vae.noise_variance, 1.3, vae.data_dim)


def _information_of_the_optimum(prior_optimum, formula):
    for _, covariance, found, plain in _prior_optima(prior_optimum):
        for vae in (plain, found.vae):
            numbers = {"V": vae.encoder, "Q": vae.posterior_covariance, "S": covariance}
            yield found.mutual_information, formula(**numbers)


def _rate_of_the_optimum(prior_optimum, formula):
    """The mean of log q(z) at the code, of log q(z|x) at the posterior covariance; minus that of log p(z)."""
    for prior, _, found, _ in _prior_optima(prior_optimum):
        log_prior = _mean_log_density(prior, found.aggregate)
        yield found.mismatch, formula(M=found.aggregate, K=prior.latent_dim) - log_prior
        rate = formula(M=found.vae.posterior_covariance, K=prior.latent_dim) - log_prior
        yield found.rate, rate
        yield found.loss, loss_from_parts(found.distortion, rate, 0.2, 1.3, found.vae.data_dim)


def _rotation_energy(prior_rotation_energy, formula):
    rng = np.random.default_rng(6)
    for prior in (
        GaussianPrior(random_covariance(3, rng)),
        StudentPrior(4.0, 2),
        SpikeSlabPrior(2, 0.6, 0.5),
        ClusterPrior(1.0, 0.4),
    ):
        covariance = random_covariance(prior.latent_dim, rng)
        for beta in (0.6, 1.7):
            rotation = special_ortho_group.rvs(prior.latent_dim, random_state=rng)
            found = prior_rotation_energy(prior, covariance, rotation, beta)
            yield found, beta * _mean_ratio(formula, prior, rotation, np.zeros(prior.latent_dim), covariance)


def _factor_energy(factor_rotation_energy, formula):
    """A sum over the Gaussian components of the factors."""
    rng = np.random.default_rng(7)
    slab, clusters = SpikeSlabPrior(2, 0.6, 0.5), ClusterPrior(1.0, 0.4)
    for prior, factors in (
        (GaussianPrior(random_covariance(3, rng) + np.eye(3)), SpikeSlabPrior(3, 0.7, 0.1)),
        (StudentPrior(4.0, 2), clusters),
        (slab, slab),
        (clusters, GaussianPrior(random_covariance(2, rng))),
    ):
        for beta in (0.6, 1.7):
            rotation = special_ortho_group.rvs(prior.latent_dim, random_state=rng)
            of_components = [
                weight * _mean_ratio(formula, prior, rotation, mean, covariance)
                for weight, mean, covariance in factors.components()
            ]
            yield factor_rotation_energy(prior, factors, rotation, beta), beta * sum(of_components)


def _mean_ratio(formula, prior, rotation, mean, covariance) -> float:
    """The mean of the formula over points of a Gaussian; the density of the code is the same in both ratios."""
    points, masses = _normal_points(len(mean), 0.1)
    latents = points @ np.linalg.cholesky(covariance).T
    density = np.exp(GaussianPrior(covariance).log_density(latents))
    here, there = (np.exp(prior.log_density(at)) for at in (latents + mean, (latents + mean) @ rotation.T))
    return formula(u=density, s=here, w=there) @ masses


def _kernel(kernel_mean, formula):
    for scale in (0.3, 1.0, 2.0):
        ratios = np.array([0.01, 0.5, 3.0, 20.0])
        variances = scale / (2 * ratios)
        yield kernel_mean(variances, scale), formula(c=scale, v=variances)


def _kernel_over_points(kernel_mean, formula):
    """The mean of the kernel itself, over points of N(0, v)."""
    places, masses = _normal_line(0.05)
    for scale in (0.8, 2.0):
        variances = np.array([0.1, 0.7, 1.6])
        wanted = formula(c=scale, d=variances[:, np.newaxis] * places**2) @ masses
        yield kernel_mean(variances, scale), wanted


def _both_directions(aggregate_divergence, formula):
    """They are the same sum if code and prior change places."""
    for code, prior in _codes_and_priors():
        inclusive, exclusive = (
            aggregate_divergence(code, prior, divergence=kind) for kind in ("inclusive", "exclusive")
        )
        other = aggregate_divergence(prior, code, divergence="inclusive")
        wanted = formula(C_z=code, Pi=prior, K=len(code))
        yield inclusive + exclusive, wanted
        yield inclusive + other, wanted


def _exclusive(aggregate_divergence, formula):
    """The formula at beta = 0 and alpha = 1 is the divergence alone."""
    rng = np.random.default_rng(9)
    for data_dim, latent_dim in ((4, 3), (2, 4)):
        vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
        wanted = formula(**_numbers(vae, covariance), alpha=1.0, beta=0.0)
        yield aggregate_divergence(_code(vae, covariance), divergence="exclusive"), wanted


def _discrepancy(aggregate_divergence, formula):
    """The kernel of all pairs of points, those of the code with a positive mass, those of the prior with a negative."""
    places, masses = _normal_line(0.05)
    signed = np.concatenate([masses, -masses])
    for code, prior in _codes_and_priors():
        wanted = 0.0
        for variances in zip(np.diagonal(code), np.diagonal(prior), strict=True):
            points = np.concatenate([np.sqrt(variance) * places for variance in variances])
            wanted += signed @ formula(c=1.4, d=(points[:, np.newaxis] - points) ** 2) @ signed
        yield aggregate_divergence(code, prior, divergence="mmd", scale=1.4), wanted


def _penalised(regularised_terms, formula):
    rng = np.random.default_rng(10)
    for data_dim, latent_dim in ((4, 3), (2, 4)):
        vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
        terms = regularised_terms(vae, covariance, divergence="exclusive")
        for beta, alpha in ((0.5, 2.0), (1.7, 0.3)):
            wanted = formula(**_numbers(vae, covariance), alpha=alpha, beta=beta)
            yield terms.loss(beta, alpha) - theory.elbo_terms(vae, covariance).reconstruction, wanted


def _penalty_in_both_directions(regularised_terms, formula):
    rng = np.random.default_rng(11)
    for data_dim, latent_dim in ((4, 3), (2, 4)):
        vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
        prior = random_covariance(latent_dim, rng)
        parts = [
            regularised_terms(vae, covariance, divergence=kind, prior=prior).divergence
            for kind in ("inclusive", "exclusive")
        ]
        yield sum(parts), formula(C_z=_code(vae, covariance), Pi=prior, K=latent_dim)


def _best_encoder(divergence: str):
    """Its loss is that of the page, stationary in every direction that the family leaves."""

    def cases(regularised_encoder, formula):
        rng, beta, alpha = np.random.default_rng(12), 0.8, 1.5
        penalised = Formula(formula.page, "The exclusive penalty")
        for data_dim, latent_dim, posterior in ((4, 3, "diagonal"), (2, 3, [[0, 2], [1]]), (3, 2, "full")):
            decoder, covariance = rng.standard_normal((data_dim, latent_dim)), random_covariance(data_dim, rng)
            found = regularised_encoder(
                decoder, covariance, 0.4, beta, alpha, divergence=divergence, posterior=posterior
            )
            both = formula if divergence == "inclusive" else None
            loss = partial(_loss, penalised, both, covariance=covariance, alpha=alpha, beta=beta)
            yield found.loss, loss(found.vae)
            together = partition_mask(partition(posterior, latent_dim), latent_dim)
            width = found.vae.posterior_covariance
            yield width, np.where(together, width, 0)
            for _ in range(3):
                gain, change = (
                    rng.standard_normal((latent_dim, data_dim)),
                    random_covariance(latent_dim, rng) * together,
                )
                yield _slope(loss, found.vae, gain, change), 0.0

    return cases


def _loss(penalised, both, vae, *, covariance, alpha, beta) -> float:
    """With the exclusive penalty; or, if `both` is given, with it minus the exclusive one."""
    lost, numbers = theory.elbo_terms(vae, covariance).reconstruction, _numbers(vae, covariance)
    if both is None:
        return lost + penalised(**numbers, alpha=alpha, beta=beta)
    sum_of_both = both(C_z=_code(vae, covariance), Pi=np.eye(vae.latent_dim), K=vae.latent_dim)
    return lost + penalised(**numbers, alpha=-alpha, beta=beta) + alpha * sum_of_both


def _slope(loss, vae, gain, change) -> float:
    """The slope of a loss if encoder and posterior covariance move in these directions."""

    def moved(step):
        encoder, width = vae.encoder + step * gain, vae.posterior_covariance + 0.1 * step * change
        return loss(theory.LinearVAE(vae.decoder, encoder, width, vae.noise_variance))

    return derivative(np.vectorize(moved), 0.0, initial_step=0.02, tolerances={"atol": 1e-10}).df


def _numbers(vae, covariance) -> dict:
    return {"V": vae.encoder, "Q": vae.posterior_covariance, "S": covariance, "K": vae.latent_dim}


def _priors():
    """Some of each family."""
    rng = np.random.default_rng(13)
    return (
        StudentPrior(5.0, 3),
        StudentPrior(1.0, 3),
        GaussianPrior(random_covariance(3, rng)),
        SpikeSlabPrior(2, 0.6, 0.3),
        ClusterPrior(),
    )


def _mean_log_density(prior, covariance) -> float:
    return prior.expected_log_density(np.zeros(len(covariance)), covariance)


def _codes_and_priors():
    rng = np.random.default_rng(8)
    for size in (1, 3, 4):
        yield random_covariance(size, rng), random_covariance(size, rng)


def _normal_line(step: float) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced points for means over N(0, 1), and their masses."""
    places = np.arange(-9.5, 9.5 + step / 2, step)
    masses = np.exp(-(places**2) / 2)
    return places, masses / masses.sum()


def _normal_points(size: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, size) for means over N(0, I), and their masses; three latents have a quadratic formula."""
    places, masses = _normal_line(step if size < 3 else 0.5)
    points, weights = (
        np.stack(np.meshgrid(*[line] * size, indexing="ij"), axis=-1).reshape(-1, size) for line in (places, masses)
    )
    weights = weights.prod(axis=1)
    kept = weights > 1e-20  # farther out the density of a prior may be below the range of floats
    return points[kept], weights[kept]


OPTIMUM, NEAREST = "theory.priors.prior_optimum", "theory.priors.nearest_gaussian"
ANNEALED, RESCALED = "theory.priors.annealed_terms", "theory.priors.rescaled_terms"
DIVERGENCE, KERNEL = "theory.priors.aggregate_divergence", "theory.priors.kernel_mean"
TERMS, ENCODER = "theory.priors.regularised_terms", "theory.priors.regularised_encoder"
NORMALISER, STUDENT = "theory.priors.gaussian_log_normaliser", "theory.priors.student_log_normaliser"
ENERGY, FACTOR_ENERGY = "theory.priors.prior_rotation_energy", "theory.priors.factor_rotation_energy"
MEAN_LOG, KERNEL_ITSELF = "Mean log density of a Gaussian code", "The kernel as a mixture of Gaussians"

TIES = (
    Tie(NORMALISER, "annealed-prior", "Normalisation of a Gaussian prior", _log_normaliser),
    Tie(NORMALISER, "annealed-prior", "phi_o", _log_normaliser_of_any_size),
    Tie(STUDENT, "annealed-prior", "Normalisation of a Student prior", _student_log_normaliser),
    Tie(ANNEALED, "annealed-prior", "The identity, point by point", _annealed),
    Tie(ANNEALED, "annealed-prior", "L_f", _annealed_divergence),
    Tie(RESCALED, "annealed-prior", "Gaussian corollary", _rescaled("loss")),
    Tie(RESCALED, "annealed-prior", "k_s", _rescaled("unit_loss")),
    Tie(RESCALED, "annealed-prior", "c", _rescaled_constant),
    Tie(NEAREST, "prior-rotation", "Identical Student densities", _nearest_to_student, scale=1.0),
    Tie(NEAREST, "prior-rotation", MEAN_LOG, _least_divergence),
    Tie(OPTIMUM, "prior-rotation", "The optima form an orbit", _code_of_the_optimum),
    Tie(OPTIMUM, "prior-rotation", "Distortion in another basis", _distortion_of_the_optimum),
    Tie(OPTIMUM, "prior-rotation", "Mutual information in another basis", _information_of_the_optimum),
    Tie(OPTIMUM, "prior-rotation", MEAN_LOG, _rate_of_the_optimum),
    Tie(ENERGY, "prior-rotation", "Factors that are not Gaussian", _rotation_energy),
    Tie(FACTOR_ENERGY, "prior-rotation", "Factors that are not Gaussian", _factor_energy),
    Tie(KERNEL, "aggregate-penalty", "Mean of the kernel", _kernel),
    Tie(KERNEL, "aggregate-penalty", KERNEL_ITSELF, _kernel_over_points),
    Tie(DIVERGENCE, "aggregate-penalty", "The two directions", _both_directions),
    Tie(DIVERGENCE, "aggregate-penalty", "The exclusive penalty", _exclusive),
    Tie(DIVERGENCE, "aggregate-penalty", KERNEL_ITSELF, _discrepancy),
    Tie(TERMS, "aggregate-penalty", "The exclusive penalty", _penalised),
    Tie(TERMS, "aggregate-penalty", "The two directions", _penalty_in_both_directions),
    Tie(ENCODER, "aggregate-penalty", "The exclusive penalty", _best_encoder("exclusive"), tolerance=1e-6, scale=1.0),
    Tie(ENCODER, "aggregate-penalty", "The two directions", _best_encoder("inclusive"), tolerance=1e-6, scale=1.0),
)

UNTIED: dict[tuple[str, str], str] = {}
