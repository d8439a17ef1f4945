"""One good call of every public function, and what each argument accepts, by its name.

The names of arguments mean the same everywhere, so one table says what each accepts; where a function deviates, its
call says so. `tests/test_bad_values.py` passes everything else to every argument of every function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import numerics
import theory
from numerics.sampling.scores import sample_scores
from theory import axes, gaussian, groups, inference, learning, objective, priors, scores
from theory.interface import readers
from theory.scores import binned

COVARIANCE = np.diag([4.0, 2.0, 1.0]) + 0.2
DECODER = np.array([[1.5, 0.3], [0.2, 1.0], [0.4, -0.5]])
ORTHOGONAL = np.array([[1.5, 0.0], [0.0, 1.0], [0.0, 0.5]])
TRUTH = theory.GenerativeModel(DECODER, 0.3, [[1.0, 0.4], [0.4, 1.0]])
UNCORRELATED = theory.GenerativeModel(DECODER, 0.3)
VAE = inference.optimal_encoder(DECODER, 0.3, 1.2)
DATA = np.random.default_rng(0).standard_normal((30, 3)) @ np.linalg.cholesky(COVARIANCE).T
MOMENTS = theory.Moments.of(DATA)
ROTATION = np.array([[0.8, -0.6], [0.6, 0.8]])
GAUSSIAN, STUDENT = priors.GaussianPrior.isotropic(2), priors.StudentPrior(5.0, 2)
CODE = scores.GaussianCode.of(TRUTH, VAE)
TEMPORAL = axes.TemporalModel(DECODER, [0.8, 0.3], 0.1)
CODES = numerics.Codes(DATA[:, :2], np.full((30, 2), 0.3), squared_error=np.ones(30))
POINTS = np.array([[0.5, -1.0], [2.0, 0.1]])

# What an argument of a name accepts: a kind of `tests.test_bad_values.REFUSED`, or several.
ACCEPTS = {
    # numbers
    "alpha": "number",
    "angle": "number",
    "aspect": "number",
    "beta": "number",
    "between": "number",
    "budget": "number",
    "coherence": "number",
    "correlation": "number",
    "data_noise": "number",
    "decoder_noise": "number",
    "degrees_of_freedom": "number",
    "dimension_wise": "number",
    "distance": "number",
    "epsilon": "number",
    "gap": "number none",
    "gradient_tolerance": "number",
    "half_width": "number",
    "kl_weight": "number",
    "level": "number",
    "learning_rate": "number",
    "mutual_information": "number",
    "noise_variance": "number",
    "precision_1": "number",
    "precision_2": "number",
    "prior_variance": "number",
    "resolution": "number",
    "scale": "number",
    "signal_to_noise": "number",
    "spike_deviation": "number",
    "spike_probability": "number",
    "threshold": "number",
    "tie": "number",
    "trace": "number none",
    "true_noise": "number",
    "variance": "number",
    "weight": "number",
    "within": "number",
    # numbers, or arrays of them that broadcast
    "betas": "number array",
    "distortion": "number array",
    "rate": "number array",
    "water_level": "number array",
    # arrays
    "autocorrelations": "array",
    "covariance": "array moments",
    "decoder": "array",
    "eigenvalues": "array",
    "encoder": "array",
    "factor_covariance": "array none",
    "gaps": "array",
    "lagged_covariance": "array",
    "loading": "array",
    "matrix": "array",
    "mean": "array none",
    "posterior_covariance": "array",
    "precisions": "array",
    "rotation": "array",
    "singular_values": "array",
    "x": "array number",
    "y": "array number",
    "probabilities": "array",
    "correlations": "array",
    "axes": "array",
    "active": "flags none",
    "data": "data",
    "factors": "data",
    # counts
    "batch_size": "count",
    "bins": "count",
    "block": "count",
    "count": "count",
    "data_dim": "count",
    "dataset_size": "count",
    "draws": "count",
    "i": "count",
    "j": "count",
    "lag": "count",
    "latent_dim": "count",
    "max_steps": "count",
    "n": "count",
    "resamples": "count",
    "samples": "count",
    "size": "count",
    "steps": "count",
    # the rest
    "criterion": "word",
    "divergence": "word",
    "estimator": "word",
    "groups": "groups",
    "header": "flag none",
    "kl": "word",
    "leading_only": "flag",
    "learned_decoder": "flag",
    "learned_noise": "flag",
    "match": "flag",
    "method": "word",
    "moments": "moments",
    "partitions": "sequence",
    "posterior": "groups",
    "prior": "array none",
    "progress": "flag none",
    "quick": "flag",
    "reconstruction": "word",
    "rng": "generator",
    "standardize": "flag",
    "start": "vae none",
    "truth": "truth",
    "vae": "vae",
    "weights": "weights",
}


@dataclass(frozen=True)
class Call:
    """A function, arguments that are good, and the kinds of those that accept something else than their name says."""

    function: Callable
    arguments: dict
    accepts: dict[str, str] = field(default_factory=dict)
    not_a_number: bool = False  # whether NaN is a result: a score of a factor without variance

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def kinds(self, argument: str) -> set[str]:
        return set(self.accepts.get(argument, ACCEPTS.get(argument, "")).split())


def call(function, accepts=None, not_a_number=False, **arguments) -> Call:
    return Call(function, arguments, accepts or {}, not_a_number)


LIMITS = dict.fromkeys(["water_level", "distortion", "rate"], "number array limit")  # of any shape
LEARNED = {"noise_variance": "number learned"}
LOSS = {"batch_size": "count none", **LEARNED}
LOSS_IN_CODE = {
    "reconstruction": "nll",
    "data_dim": 3,
    "kl": "mean",
    "latent_dim": 2,
    "noise_variance": 0.3,
    "batch_size": 4,
}
PRIOR = {"prior": "prior"}
GROUP = {"decoder": "array", "groups": "groups", "prior": "array none"}
TRAIN = {"decoder": "array none", "rng": "generator none", **LEARNED}

CALLS = [
    # the models
    call(
        theory.GenerativeModel, loading=DECODER, noise_variance=0.3, factor_covariance=np.eye(2), mean=[0.0, 1.0, 2.0]
    ),
    call(TRUTH.sample, n=3, rng=0),
    call(VAE.encode, {"data": "array"}, data=DATA),
    call(VAE.decode, {"codes": "array"}, codes=[[0.1, 0.2]]),
    call(VAE.sample, n=3, rng=0),
    call(VAE.log_likelihood, {"data": "array"}, data=DATA),
    call(
        theory.LinearVAE,
        decoder=DECODER,
        encoder=DECODER.T,
        posterior_covariance=np.eye(2),
        noise_variance=0.5,
        mean=[0.0, 1.0, 2.0],
    ),
    call(
        theory.LinearVAE.from_weights,
        dict.fromkeys(["log_variance"], "array") | dict.fromkeys(["decoder_bias", "encoder_bias"], "array none"),
        decoder=DECODER,
        encoder=DECODER.T,
        log_variance=[-1.0, 0.1],
        noise_variance=0.5,
        decoder_bias=[0.0, 1.0, 2.0],
        encoder_bias=-DECODER.T @ [0.0, 1.0, 2.0],
    ),
    call(VAE.belongs_to, posterior="diagonal"),
    call(
        theory.Moments, {"mean": "array", "covariance": "array"}, count=3, mean=[0.0, 1.0, 2.0], covariance=COVARIANCE
    ),
    call(theory.Moments.of, data=DATA),
    # objective and Gaussians
    call(objective.elbo_terms, vae=VAE, covariance=COVARIANCE, prior=np.eye(2)),
    call(objective.elbo_terms(VAE, COVARIANCE).loss, beta=1.0),
    call(gaussian.entropy, {"covariance": "array"}, covariance=COVARIANCE),
    call(gaussian.hadamard_gap, matrix=COVARIANCE, posterior="diagonal"),
    call(
        gaussian.kl_divergence,
        dict.fromkeys(["mean_q", "covariance_q", "mean_p", "covariance_p"], "array"),
        mean_q=np.zeros(3),
        covariance_q=COVARIANCE,
        mean_p=np.ones(3),
        covariance_p=np.eye(3),
    ),
    call(gaussian.log_determinant, matrix=COVARIANCE),
    call(gaussian.total_correlation, {"covariance": "array"}, covariance=COVARIANCE, groups="diagonal"),
    call(binned.binned_entropy, bins=4, half_width=3.0),
    call(binned.binned_information, {"correlations": "array shape"}, correlations=[0.1, 0.5], bins=4, half_width=3.0),
    call(
        binned.bivariate_normal,
        {"x": "number array shape infinite", "y": "array number shape infinite"},
        x=0.3,
        y=[0.1, 0.2],
        correlation=0.4,
    ),
    call(binned.discrete_entropy, probabilities=[0.5, 0.5]),
    # the decoder is known
    call(inference.optimal_encoder, decoder=DECODER, noise_variance=0.3, beta=1.2, posterior="full"),
    call(inference.family_gap, decoder=DECODER, noise_variance=0.3, beta=1.2, posterior="diagonal"),
    call(inference.inference_error, truth=TRUTH, vae=VAE, match=True),
    call(
        inference.inference_error_curve,
        {"decoder": "array none", "noise_variance": "number true learned"},
        truth=TRUTH,
        betas=[0.5, 2.0],
        decoder=DECODER,
        noise_variance=0.3,
        posterior="diagonal",
    ),
    call(
        inference.optimal_beta,
        {"decoder": "array none", "noise_variance": "number true learned"},
        truth=TRUTH,
        criterion="reverse_kl",
        decoder=DECODER,
        noise_variance=0.3,
        posterior="diagonal",
    ),
    call(inference.forward_kl_slope, truth=UNCORRELATED),
    call(inference.mismatched_beta, beta=1.2, true_noise=0.3, decoder_noise=0.5),
    call(inference.squared_error_level_bracket, truth=TRUTH),
    call(inference.random_mixing_errors, aspect=0.5, signal_to_noise=3.0, betas=[0.5, 1.0]),
    call(inference.random_mixing_loading, data_dim=3, latent_dim=2, signal_to_noise=3.0, noise_variance=0.3, rng=0),
    call(inference.random_mixing_optimal_beta, aspect=0.5, signal_to_noise=3.0, criterion="forward_kl"),
    call(inference.small_coherence_beta, signal_to_noise=3.0, coherence=0.1),
    call(inference.two_factor_loading, signal_to_noise=3.0, coherence=0.1, noise_variance=0.3),
    call(
        inference.optimal_beta_from_data,
        {"criteria": "sequence", "noise_variance": "number true learned"},
        data=DATA,
        factors=DATA[:, :2] + 1.0,
        criteria=["forward_kl"],
        noise_variance="true",
        posterior="diagonal",
        resamples=2,
        level=0.9,
        rng=0,
        progress=False,
    ),
    call(
        theory.GenerativeModel.from_data,
        data=DATA,
        factors=DATA[:, :2] + 1.0,
        standardize=True,
    ),
    call(learning.data_report, LEARNED, moments=MOMENTS, latent_dim=2, beta=1.5, noise_variance=0.3),
    call(inference.two_factor_optimal_beta, signal_to_noise=3.0, coherence=0.1),
    call(inference.two_factor_polynomial, signal_to_noise=3.0, coherence=0.1),
    # the decoder is learned
    call(
        learning.optimum,
        LEARNED,
        covariance=COVARIANCE,
        latent_dim=2,
        beta=1.2,
        noise_variance=0.3,
        posterior="diagonal",
        leading_only=False,
        trace=None,
    ),
    call(learning.optimum_curve, LEARNED, covariance=COVARIANCE, latent_dim=2, betas=[0.5, 2.0], noise_variance=0.3),
    call(theory.convention, LOSS, kl_weight=0.5, **LOSS_IN_CODE),
    call(theory.kl_weight, LOSS, beta=0.5, **LOSS_IN_CODE),
    call(learning.capacity_penalty, LIMITS, eigenvalues=[3.0, 2.0, 1.0], latent_dim=1, water_level=0.5),
    call(learning.critical_betas, LEARNED, eigenvalues=[3.0, 2.0, 1.0], latent_dim=2, noise_variance=0.3),
    call(
        learning.learned_noise_variance,
        {"beta": "number array"},
        eigenvalues=[3.0, 2.0, 1.0],
        latent_dim=1,
        beta=0.5,
    ),
    call(
        learning.profile_loss,
        {"noise_variance": "number array"},
        eigenvalues=[3.0, 2.0, 1.0],
        latent_dim=1,
        beta=0.5,
        noise_variance=0.3,
    ),
    call(
        learning.operating_point,
        LEARNED | {"beta": "number array"},
        eigenvalues=[3.0, 2.0, 1.0],
        latent_dim=2,
        beta=0.5,
        noise_variance=0.3,
    ),
    call(
        learning.beta_for_rate,
        LEARNED | {"rate": "number array limit"},
        eigenvalues=[3.0, 2.0, 1.0],
        latent_dim=2,
        rate=0.5,
        noise_variance=0.3,
    ),
    call(
        learning.beta_for_distortion,
        LEARNED,
        eigenvalues=[3.0, 2.0, 1.0],
        latent_dim=2,
        distortion=2.0,
        noise_variance=0.3,
    ),
    call(learning.rate_distortion, LIMITS, eigenvalues=[3.0, 2.0, 1.0], water_level=[0.5, 2.0]),
    call(learning.vae_rate_distortion, LIMITS, eigenvalues=[3.0, 2.0, 1.0], latent_dim=1, water_level=0.5),
    call(learning.water_level_for_distortion, LIMITS, eigenvalues=[3.0, 2.0, 1.0], distortion=2.0),
    call(learning.water_level_for_rate, LIMITS, eigenvalues=[3.0, 2.0, 1.0], rate=0.5),
    # axes
    call(
        priors.aggregate_divergence,
        {"covariance": "array"},
        covariance=np.eye(2),
        prior=np.eye(2),
        divergence="inclusive",
        scale=1.0,
    ),
    call(priors.annealed_terms, vae=VAE, covariance=COVARIANCE, beta=1.2, prior=np.eye(2)),
    call(axes.collapse_probability, vae=VAE, covariance=COVARIANCE, epsilon=0.1),
    call(axes.distance_to_orthogonality, decoder=DECODER, active=[True, True], tie=1e-8),
    call(
        priors.factor_rotation_energy,
        PRIOR | {"factors": "prior"},
        prior=STUDENT,
        factors=GAUSSIAN,
        rotation=ROTATION,
        beta=1.2,
    ),
    call(priors.gaussian_log_normaliser, {"prior": "array"}, prior=np.eye(2), beta=1.2),
    call(priors.kernel_mean, {"variance": "number array points"}, variance=1.5, scale=1.0),
    call(axes.latent_activity, vae=VAE, covariance=COVARIANCE, threshold=0.1),
    call(axes.manipulation_to, loading=DECODER, axes=ROTATION, singular_values=[2.0, 1.0]),
    call(priors.nearest_gaussian, PRIOR, prior=STUDENT),
    call(axes.orthogonality_distribution, {"distance": "number array points"}, distance=0.3),
    call(axes.orthogonality_chance_level, {"rng": "generator none"}, latent_dim=2, samples=20, rng=0),
    call(axes.plane_rotation, latent_dim=3, angle=0.3, i=0, j=2),
    call(axes.polarized_kl, vae=VAE, covariance=COVARIANCE, active=[True, False]),
    call(
        axes.polarized_relative_error,
        {"latent_dim": "count none"},
        not_a_number=True,  # without an active latent
        eigenvalues=[3.0, 2.0, 1.0],
        water_level=0.5,
        latent_dim=2,
    ),
    call(priors.prior_optimum, PRIOR, covariance=COVARIANCE, prior=GAUSSIAN, beta=1.2, noise_variance=0.3),
    call(
        priors.prior_rotation_energy, PRIOR, prior=STUDENT, covariance=np.diag([2.0, 1.0]), rotation=ROTATION, beta=1.2
    ),
    call(
        priors.regularised_encoder,
        decoder=DECODER,
        covariance=COVARIANCE,
        noise_variance=0.3,
        beta=1.2,
        alpha=0.5,
        divergence="exclusive",
        posterior="full",
        prior=np.eye(2),
        scale=1.0,
    ),
    call(priors.regularised_terms, vae=VAE, covariance=COVARIANCE, divergence="inclusive", prior=np.eye(2), scale=1.0),
    call(priors.rescale, vae=VAE, beta=1.2),
    call(priors.rescaled_terms, vae=VAE, covariance=COVARIANCE, beta=1.2, prior=np.eye(2)),
    call(axes.rotate, vae=VAE, rotation=ROTATION),
    call(axes.rotation_curvature, precisions=[2.0, 3.0], beta=1.2, posterior="diagonal"),
    call(
        axes.rotation_energy,
        {"encoder": "word"},
        decoder=DECODER,
        noise_variance=0.3,
        beta=1.2,
        rotation=ROTATION,
        posterior="diagonal",
        encoder="truncated",
        prior_variance=1.0,
    ),
    call(
        axes.separate,
        {"noise_variance": "number none", "covariance": "array moments"},
        covariance=TEMPORAL.covariance,
        lagged_covariance=TEMPORAL.lagged_covariance(1),
        latent_dim=2,
        noise_variance=0.1,
    ),
    call(
        axes.separate_series,
        {"noise_variance": "number none"},
        data=DATA,
        latent_dim=2,
        noise_variance=0.1,
        lag=1,
    ),
    call(axes.smallest_manipulation, loading=DECODER, axes=ROTATION, gaps=[0.2]),
    call(priors.student_log_normaliser, degrees_of_freedom=5.0, beta=1.2, latent_dim=2),
    call(axes.two_factor_largest_angle, not_a_number=True, loading=ORTHOGONAL, budget=0.2, gap=0.1),
    call(axes.two_factor_manipulation, loading=ORTHOGONAL, angle=0.3, gap=0.1),
    call(
        axes.two_mode_rotation_energy,
        {"encoder": "word", "angle": "number array shape"},
        precision_1=2.0,
        precision_2=3.0,
        angle=0.3,
        beta=1.2,
        encoder="truncated",
    ),
    call(axes.TemporalModel, loading=DECODER, autocorrelations=[0.8, 0.3], noise_variance=0.1),
    call(TEMPORAL.lagged_covariance, lag=2),
    call(TEMPORAL.sample, n=3, rng=0),
    # priors
    call(priors.GaussianPrior, {"covariance": "array"}, covariance=np.eye(2)),
    call(priors.GaussianPrior.isotropic, latent_dim=2, variance=2.0),
    call(priors.GaussianPrior.anisotropic, {"variances": "array"}, variances=[1.0, 2.0]),
    call(priors.StudentPrior, degrees_of_freedom=5.0, latent_dim=2),
    call(priors.SpikeSlabPrior, latent_dim=2, spike_probability=0.8, spike_deviation=0.05),
    call(priors.ClusterPrior, distance=1.0, variance=0.03),
    *[
        made
        for prior in (GAUSSIAN, STUDENT, priors.SpikeSlabPrior(2), priors.ClusterPrior())
        for made in (
            call(prior.log_density, {"latents": "array points"}, latents=POINTS),
            call(prior.sample, n=3, rng=0),
            call(
                prior.expected_log_density,
                {"mean": "array", "covariance": "array"},
                mean=[0.5, -1.0],
                covariance=np.eye(2),
            ),
            call(prior.symmetries, rng=0),
            call(prior.is_symmetry, {"matrix": "array"}, matrix=np.eye(2)),
        )
    ],
    # groups
    call(groups.block_rotation, latent_dim=2, posterior="full", rng=0),
    call(
        groups.choose_groups,
        LEARNED | {"moments": "moments data"},
        moments=MOMENTS,
        decoder=DECODER[:, :1],
        noise_variance=0.3,
        alpha=0.01,
        resolution=0.2,
    ),
    call(
        groups.estimate_factors,
        LEARNED | {"moments": "moments data"},
        moments=MOMENTS,
        decoder=DECODER,
        noise_variance=0.3,
    ),
    call(groups.correlated_prior_shift, correlation=0.4, weight=2.0),
    call(groups.equal_groups, latent_dim=4, size=2),
    call(groups.free_planes, precisions=[2.0, 3.0], posterior="full"),
    call(groups.granularity_errors, truth=TRUTH, partitions=["diagonal"], beta=2.0, posterior="diagonal"),
    call(groups.granularity_slope, truth=TRUTH, groups="diagonal", posterior="diagonal"),
    *[
        call(
            function,
            decoder=DECODER,
            encoder=VAE.encoder,
            posterior_covariance=VAE.posterior_covariance,
            noise_variance=0.3,
            covariance=COVARIANCE,
            weights=groups.Weights.independence(2.0),
            groups="diagonal",
            prior=np.eye(2),
        )
        for function in (groups.grouped_gradient, groups.grouped_loss)
    ],
    call(
        groups.grouped_optimum,
        LEARNED,
        decoder=DECODER,
        noise_variance=0.3,
        covariance=COVARIANCE,
        weights=groups.Weights.independence(2.0),
        groups="diagonal",
        posterior="diagonal",
        start=VAE,
    ),
    call(
        groups.grouped_optima,
        LEARNED | {"weights": "sequence"},
        decoder=DECODER,
        noise_variance=0.3,
        covariance=COVARIANCE,
        weights=[groups.Weights.independence(2.0)],
        partitions=["diagonal"],
        posterior="diagonal",
    ),
    call(groups.grouped_terms, vae=VAE, covariance=COVARIANCE, groups="diagonal", prior=np.eye(2)),
    call(
        groups.independent_groups,
        {"weights": "weights none"},
        decoder=DECODER,
        noise_variance=0.3,
        covariance=COVARIANCE,
        groups="diagonal",
        weights=groups.Weights.independence(2.0),
        posterior="diagonal",
    ),
    call(
        groups.learned_decoder_value,
        LEARNED,
        covariance=COVARIANCE,
        latent_dim=2,
        weights=groups.Weights.independence(2.0),
        groups="diagonal",
        noise_variance=0.3,
        posterior="diagonal",
    ),
    call(
        groups.minibatch_bias,
        vae=VAE,
        covariance=COVARIANCE,
        groups="diagonal",
        dataset_size=1000,
        batch_size=200,
        estimator="stratified",
    ),
    call(
        groups.minibatch_bounds, vae=VAE, groups="diagonal", dataset_size=1000, batch_size=200, estimator="stratified"
    ),
    call(groups.minibatch_offset, groups="diagonal", latent_dim=2, dataset_size=1000),
    call(groups.minibatch_scale, vae=VAE, covariance=COVARIANCE),
    call(
        groups.total_correlation_path,
        {"covariance": "array"},
        covariance=COVARIANCE,
        partitions=["full", "diagonal"],
    ),
    call(groups.Weights, mutual_information=1.0, between=2.0, within=1.0, dimension_wise=1.0),
    call(groups.Weights.uniform, beta=2.0),
    call(groups.Weights.independence, beta=2.0),
    # scores
    call(
        scores.GaussianCode,
        {"factor_covariance": "array", "code_covariance": "array", "cross_covariance": "array"},
        factor_covariance=CODE.factor_covariance,
        code_covariance=CODE.code_covariance,
        cross_covariance=CODE.cross_covariance,
    ),
    call(scores.GaussianCode.of, {"code": "word"}, truth=TRUTH, vae=VAE, code="sample"),
    call(scores.hoyer_chance_level, not_a_number=True, latent_dim=3),
    *[
        call(function, {"code": "code"}, code=CODE)
        for function in (
            scores.dci,
            scores.hoyer_sparsity,
            scores.mean_correlation,
            scores.sap,
            scores.scores,
            scores.total_correlation,
        )
    ],
    *[
        call(function, {"code": "code", "bins": "count none"}, code=CODE, bins=4, half_width=3.0)
        for function in (scores.mutual_information_gap, scores.mutual_information_matrix)
    ],
    # readers
    *[
        call(function, {"path": "path"}, path="missing.csv", header=True)
        for function in (readers.read_data, readers.read_moments, readers.read_covariance)
    ],
    # numerics
    call(numerics.active_count, vae=VAE, covariance=COVARIANCE, threshold=1e-6),
    call(
        numerics.audit,
        {"data": "data", "factors": "data none", "decoder": "array none", "codes": "codes"}
        | {"water_level": "number none"},
        not_a_number=True,  # scores of factors that do not vary, and others
        codes=CODES,
        data=DATA,
        factors=DATA,
        decoder=DECODER,
        water_level=0.3,
        threshold=0.01,
        rng=0,
    ),
    call(
        numerics.Codes,
        {"mean": "data", "variance": "array"}
        | dict.fromkeys(["log_variance", "reconstruction", "squared_error"], "array none"),
        mean=DATA[:, :2],
        variance=np.full((30, 2), 0.3),
        log_variance=None,
        reconstruction=None,
        squared_error=np.ones(30),
    ),
    call(
        numerics.block_truth,
        {"loading": "word", "blocks": "sequence", "rng": "generator none"},
        blocks=[2, 1],
        correlation=0.3,
        noise_variance=0.1,
        data_dim=4,
        loading="random",
        rng=0,
    ),
    call(
        numerics.certify,
        vae=VAE,
        covariance=COVARIANCE,
        beta=1.2,
        learned_decoder=True,
        learned_noise=False,
        posterior="diagonal",
    ),
    call(numerics.read_runs, {"path": "path"}, path="missing.jsonl"),
    call(numerics.load, {"source": "path"}, source="missing.csv", header=True),
    call(
        numerics.load_dsprites,
        {"path": "path", "count": "count none", "rng": "generator none"},
        path="missing.npz",
        count=2,
        rng=0,
    ),
    call(numerics.sample_elbo_terms, vae=VAE, covariance=COVARIANCE, n=10, rng=0),
    call(numerics.sample_errors, truth=TRUTH, vae=VAE, n=10, rng=0),
    call(
        sample_scores,
        {"factors": "array shape", "codes": "array shape"},
        factors=DATA[:, :2],
        codes=DATA,
        bins=4,
        half_width=3.0,
    ),
    call(numerics.sample_sprites, count=2, rng=0, size=8, samples=1),
    call(
        numerics.train,
        TRAIN | {"beta": "number weights"},
        covariance=COVARIANCE,
        latent_dim=2,
        beta=1.2,
        groups="diagonal",
        prior=np.eye(2),
        noise_variance=0.3,
        decoder=DECODER,
        posterior="diagonal",
        method="accelerated",
        learning_rate=0.01,
        gradient_tolerance=1e-4,
        max_steps=5,
        rng=0,
    ),
    call(
        numerics.sweep,
        TRAIN | {"betas": "numbers", "seeds": "count sequence", "executor": "executor none", "file": "path none"},
        covariance=COVARIANCE,
        latent_dim=2,
        betas=[1.0, 1.2],
        seeds=1,
        groups="diagonal",
        prior=np.eye(2),
        noise_variance=0.3,
        decoder=DECODER,
        posterior="diagonal",
        method="accelerated",
        learning_rate=0.01,
        gradient_tolerance=1e-4,
        max_steps=5,
        executor=None,
        file=None,
        progress=False,
    ),
    call(
        numerics.train_autoencoder,
        {"seeds": "count sequence"},
        covariance=COVARIANCE,
        latent_dim=2,
        seeds=1,
        gradient_tolerance=1e-4,
        max_steps=5,
    ),
    call(
        numerics.train_minibatch,
        TRAIN,
        data=DATA,
        latent_dim=2,
        beta=1.2,
        noise_variance=0.3,
        decoder=DECODER,
        posterior="diagonal",
        batch_size=4,
        steps=3,
        learning_rate=0.01,
        rng=0,
    ),
    call(
        numerics.train_with_prior,
        PRIOR | {"factors": "prior", "decoder": "array none", "rng": "generator none"},
        factors=GAUSSIAN,
        loading=DECODER,
        data_noise=0.1,
        prior=GAUSSIAN,
        beta=1.2,
        noise_variance=0.3,
        alpha=0.0,
        posterior="full",
        decoder=DECODER,
        start=VAE,
        gradient_tolerance=1e-4,
        max_steps=2,
        rng=0,
    ),
    call(
        numerics.granularity_map,
        {
            "betas": "numbers",
            "sizes": "sequence none",
            "capacities": "sequence none",
            "decoder": "word",
            "prior": "word",
            "seeds": "count sequence",
        },
        truth=TRUTH,
        betas=[2.0],
        sizes=[1],
        capacities=[2],
        decoder="true",
        prior="standard",
        posterior="diagonal",
        seeds=1,
        gradient_tolerance=1e-4,
        progress=False,
    ),
    call(
        numerics.vertex_map,
        {"correlations": "numbers", "noise_variances": "numbers", "loadings": "sequence"},
        block=2,
        count=2,
        data_dim=4,
        beta=2.0,
        correlations=[0.3],
        noise_variances=[0.3],
        loadings=["random"],
        draws=1,
        rng=0,
        progress=False,
    ),
    call(numerics.verify, {"only": "sequence none"}, quick=True, only=["capacity_penalty"], progress=False),
]
