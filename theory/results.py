"""The index of results: one record a theorem, with everything in which it exists.

Each result has a name (lower case, hyphens), a claim, the functions that compute it, the page that derives it, the
checks that compare it with experiments, the figures that show it, its test file, its source, its status and its scope.
What a result has none of is said in `missing`. All are names, so that this module imports nothing.

From here come `docs/results.md`, the table of the README, `python -m theory results`, the lines "computed by" and "seen
in" of the book, the names that `derive`, `verify --only` and `figures --only` understand, and what each figure stands
for in the papers.

To add a theorem, add its record; `tests/theory/test_results.py` then names what is not there yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = [
    "EXPERIMENTS",
    "FIGURES_STAND_FOR",
    "RESULTS",
    "ROOMS",
    "UNNOTICED",
    "WORKS",
    "Result",
    "expand",
    "matching",
    "mentioning",
    "named_by_results",
]

KINDS = {"page": "derivation", "checks": "check", "figures": "figure"}

# Rooms of theory, and chapters of the book, in their order; the foundations are what all rooms stand on.
ROOMS = {
    "foundations": "Foundations",
    "inference": "What the encoder infers",
    "learning": "What the model learns",
    "axes": "Which axes",
    "priors": "Other priors",
    "groups": "Which groups",
    "scores": "Disentanglement scores",
}

# Keys of the book's references, and how a source names the work.
WORKS = {
    "tipping1999": "Tipping, Bishop 1999",
    "marchenko1967": "Marchenko, Pastur 1967",
    "mirsky1975": "Mirsky 1975",
    "shannon1959": "Shannon 1959",
    "sikka2019": "Sikka et al. 2019",
    "lucas2019": "Lucas et al. 2019",
    "mathieu2019": "Mathieu et al. 2019",
    "rolinek2019": "Rolinek et al. 2019",
    "wang2022": "Wang, Ziyin 2022",
    "zietlow2021": "Zietlow et al. 2021",
    "tong1991": "Tong et al. 1991",
    "chen2018": "R. T. Q. Chen et al. 2018",
    "chen2022": "Z. Chen et al. 2022",
    "chen2025": "Z. Chen et al. 2025",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """A theorem, and where it is.

    Attributes
    ----------
    name : str
    claim : str
        in one sentence.
    functions : tuple of str
        dotted names of the public functions that compute it.
    page : str or None
        of the book, by name; several results may share one.
    checks : tuple of str
        of `python -m numerics verify`.
    figures : tuple of str
    tests : str
        the test file.
    source : str
        "in the setting of" a paper: the paper poses the question, the formula is this project's own derivation. Written
        with keys of `WORKS` in braces, "in the setting of {sikka2019}", and read with the names of the works.
    status : str
        "exact", "asymptotic", or what else holds.
    scope : str
        for which inputs.
    missing : str
        why it has no page, check or figure, where it has none.
    references : tuple of str
        the keys in `source`; those of its page, or some of them.
    """

    name: str
    claim: str
    functions: tuple[str, ...]
    page: str | None
    checks: tuple[str, ...]
    figures: tuple[str, ...] = ()
    tests: str
    source: str
    status: str = "exact"
    scope: str
    missing: str = ""
    references: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "references", tuple(re.findall(r"{(\w+)}", self.source)))
        object.__setattr__(self, "source", self.source.format_map(WORKS))

    @property
    def room(self) -> str:
        """The room of `theory` in which its tests, and with them its functions, are."""
        parts = self.tests.split("/")
        return parts[2] if len(parts) > 3 else "foundations"


RESULTS = (
    Result(
        name="gaussian-kl",
        claim="The divergence between two Gaussians follows from their means and covariances.",
        functions=("theory.gaussian.kl_divergence",),
        page="gaussian-kl",
        checks=("objective_parts",),
        tests="tests/theory/test_gaussian.py",
        source="classical",
        scope="two Gaussians of the same dimension, the second with a positive definite covariance; infinite if that "
        "of the first is singular",
        missing="no figure: a building block",
    ),
    Result(
        name="elbo-parts",
        claim="The loss is a distortion and a rate, and the rate is mutual information, total correlation and "
        "dimension-wise KL.",
        functions=("theory.elbo_terms", "theory.objective.loss_from_parts"),
        page="elbo-parts",
        checks=("objective_parts", "aggregate_posterior"),
        tests="tests/theory/test_objective.py",
        source="definition; the linear VAE of {lucas2019}",
        scope="any linear VAE with prior N(0, I), any data covariance; the parts of the rate for Gaussian data",
        missing="no figure: the definition that every figure uses",
    ),
    Result(
        name="hadamard-gap",
        claim="Keeping only the blocks of a positive definite matrix raises its log determinant, unless what is "
        "dropped is zero.",
        functions=("theory.gaussian.hadamard_gap",),
        page="hadamard-gap",
        checks=("family_gap",),
        tests="tests/theory/test_gaussian.py",
        source="classical (Hadamard, Fischer)",
        scope="any positive definite matrix, any partition",
        missing="no figure: a building block",
    ),
    Result(
        name="conventions",
        claim="Every usual weight of the KL in code is one water level, above which eigenvalues keep a latent.",
        functions=("theory.convention", "theory.kl_weight"),
        page=None,
        checks=("conventions",),
        tests="tests/theory/test_conventions.py",
        source="this project",
        scope="squared errors and Gaussian likelihoods, summed or averaged, with a KL that is summed, averaged or "
        "normalized, and reductions over a batch that differ",
        missing="no page: division of the loss by a number; no figure: a table",
    ),
    Result(
        name="optimal-encoder",
        claim="For a fixed decoder the best encoder is Gaussian with precision I + W^T W / (beta s2).",
        functions=("theory.optimal_encoder",),
        page="optimal-encoder",
        checks=("optimal_encoder",),
        figures=("inference_error",),
        tests="tests/theory/inference/test_encoder.py",
        source="in the setting of {sikka2019}",
        scope="any decoder, data and beta > 0; unrestricted posterior, of which a family keeps the blocks "
        "(posterior-families)",
    ),
    Result(
        name="posterior-families",
        claim="A block-diagonal posterior costs (beta/2) times the Hadamard gap of the best precision.",
        functions=("theory.inference.family_gap", "theory.optimal_encoder"),
        page="posterior-families",
        checks=("family_gap", "optimal_encoder"),
        tests="tests/theory/inference/test_encoder.py",
        source="in the setting of {sikka2019} and {rolinek2019}",
        scope="fixed decoder, any data, any partition of the latents",
        missing="no figure: rotation_energy shows it for rotated decoders",
    ),
    Result(
        name="inference-error",
        claim="Mean squared error, log score, forward and reverse KL of an encoder against the true factors, or their "
        "posterior, are closed.",
        functions=("theory.inference_error", "theory.inference_error_curve"),
        page="inference-error",
        checks=("inference_errors", "inference_error_curve"),
        figures=("inference_error",),
        tests="tests/theory/inference/test_error.py",
        source="in the setting of {sikka2019}",
        scope="any linear-Gaussian encoder and truth; both divergences are infinite if the true posterior is singular",
    ),
    Result(
        name="optimal-beta",
        claim="The beta of least error of the best encoder is at a root of a closed slope, at 0 or infinity, or at a "
        "jump of a learned noise.",
        functions=("theory.optimal_beta",),
        page="inference-error",
        checks=("optimal_beta", "optimal_beta_learned_noise"),
        figures=("inference_error", "optimal_beta"),
        tests="tests/theory/inference/test_beta_of_least_error.py",
        source="in the setting of {sikka2019}",
        status="exact, found by search",
        scope="any truth, fixed decoder and posterior family, noise fixed or learned; the page has the slopes of the "
        "squared error and, for a diagonal posterior, of the log score",
    ),
    Result(
        name="slope-at-one",
        claim="With the true decoder and independent factors the forward KL falls through beta = 1 unless the columns "
        "are orthogonal.",
        functions=("theory.inference.forward_kl_slope",),
        page="slope-at-one",
        checks=("slope_at_one",),
        figures=("inference_error", "optimal_beta"),
        tests="tests/theory/inference/test_mismatched_noise.py",
        source="in the setting of {sikka2019}",
        scope="true decoder and noise, independent factors of variance 1, diagonal posterior",
    ),
    Result(
        name="noise-mismatch",
        claim="Every optimal beta scales as the true noise over the decoder's.",
        functions=("theory.inference.mismatched_beta",),
        page="noise-mismatch",
        checks=("noise_mismatch",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_mismatched_noise.py",
        source="in the setting of {sikka2019}",
        scope="any truth, fixed decoder, family of posteriors and criterion; fixed noise",
    ),
    Result(
        name="correlated-factors",
        claim="For correlated factors the water level of least mean squared error lies in a bracket.",
        functions=("theory.inference.squared_error_level_bracket",),
        page="noise-mismatch",
        checks=("correlated_factors",),
        tests="tests/theory/inference/test_mismatched_noise.py",
        source="in the setting of {sikka2019}",
        status="exact bounds",
        scope="the true decoder with any noise, any covariance of the factors, any posterior family; unbounded above "
        "if a mode has no variance",
        missing="no figure: a bracket, not a curve",
    ),
    Result(
        name="two-factors",
        claim="For two factors of equal norm the beta of least forward KL is the best positive root of a polynomial "
        "of degree 7.",
        functions=("theory.inference.two_factor_polynomial", "theory.inference.two_factor_optimal_beta"),
        page="two-factors",
        checks=("two_factors",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_two_factors.py",
        source="in the setting of {sikka2019}",
        scope="two columns of equal norm, any coherence, the true decoder and noise, independent factors of variance "
        "1, diagonal posterior",
    ),
    Result(
        name="small-coherence",
        claim="For two weakly coherent columns the beta of least forward KL exceeds 1 by a closed multiple of the "
        "squared coherence.",
        functions=("theory.inference.small_coherence_beta",),
        page="two-factors",
        checks=("two_factors",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_two_factors.py",
        source="in the setting of {sikka2019}",
        status="asymptotic, O(coherence^4)",
        scope="two columns of equal norm and small coherence, the true decoder and noise, independent factors of "
        "variance 1, diagonal posterior",
    ),
    Result(
        name="random-mixing",
        claim="For a random loading in high dimension every error per factor follows from the Marchenko-Pastur law.",
        functions=("theory.inference.random_mixing_errors", "theory.inference.random_mixing_optimal_beta"),
        page="random-mixing",
        checks=("random_mixing",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_random_mixing.py",
        source="spectrum: {marchenko1967}; errors: this project, in the setting of {sikka2019}",
        status="asymptotic, D and K to infinity",
        scope="independent entries of one variance, K / D fixed; the true decoder and noise, independent factors of "
        "variance 1, diagonal posterior",
    ),
    Result(
        name="learned-inference-error",
        claim="A learned VAE separates independent factors, at every optimum, if and only if the columns of the "
        "loading are orthogonal and of different norms.",
        functions=("theory.inference_error",),
        page="global-optimum",
        checks=("learned_inference_error",),
        figures=("learned_inference_error",),
        tests="tests/theory/inference/test_error.py",
        source="in the setting of {sikka2019}, but with a learned decoder",
        scope="decoder and encoder learned, noise fixed or learned, diagonal posterior; factors of variance 1, as "
        "many latents, all active; up to order and sign",
    ),
    Result(
        name="ppca-equivalence",
        claim="At a fixed noise the loss of the best encoder is that of probabilistic PCA with the noise beta s2, "
        "times beta and up to a constant.",
        functions=("theory.learning.profile_loss", "theory.optimum"),
        page="ppca-equivalence",
        checks=("optimum_full_posterior", "learned_noise"),
        figures=("learned_noise",),
        tests="tests/theory/learning/test_learned_noise.py",
        source="probabilistic PCA: {tipping1999}; the linear VAE with beta = 1: {lucas2019}",
        scope="full posterior covariance, fixed noise, any decoder and data covariance",
    ),
    Result(
        name="global-optimum",
        claim="With a learned decoder latent i <= K is active iff its eigenvalue exceeds beta s2, at an optimum on "
        "the principal axes that all posterior families share.",
        functions=("theory.optimum", "theory.learning.critical_betas"),
        page="global-optimum",
        checks=(
            "optimum_fixed_noise",
            "optimum_full_posterior",
            "optimal_weights",
            "first_and_second_order",
            "digits_optimum",
            "collapse",
        ),
        figures=("collapse", "learned_inference_error", "convergence"),
        tests="tests/theory/learning/test_global_optimum.py",
        source="{tipping1999}; {lucas2019}; {wang2022}; its lower bound by the trace inequality of {mirsky1975}",
        scope="any data covariance, noise fixed or (with the s2 of learned-noise) learned; the other optima are "
        "rotations within the family, and within ties",
    ),
    Result(
        name="collapse",
        claim="Each latent collapses to the prior at a critical beta, and stays collapsed beyond it.",
        functions=("theory.learning.critical_betas",),
        page="learned-noise",
        checks=("collapse",),
        figures=("collapse", "learned_noise"),
        tests="tests/theory/learning/test_learned_noise.py",
        source="beta = 1: {lucas2019}; else this project, in the setting of {wang2022}",
        scope="latents i <= K with a mode; learned noise, at a fixed one the critical beta is eigenvalue / noise "
        "(global-optimum); if K >= rank the noise is undetermined at beta = D / rank",
    ),
    Result(
        name="aggregate-posterior",
        claim="At the optimum the aggregate posterior is the prior: the rate is all mutual information.",
        functions=("theory.optimum", "theory.elbo_terms"),
        page="aggregate-posterior",
        checks=("aggregate_posterior",),
        figures=("collapse",),
        tests="tests/theory/learning/test_global_optimum.py",
        source="in the setting of {lucas2019}",
        scope="Gaussian data, prior N(0, I); every stationary decoder with its best full posterior, and every optimum "
        "of the other families",
    ),
    Result(
        name="water-filling",
        claim="The optimal VAE with enough latents lies on Shannon's rate-distortion curve, at the water level"
        " beta s2.",
        functions=("theory.rate_distortion", "theory.learning.vae_rate_distortion"),
        page="water-filling",
        checks=("rate_distortion",),
        figures=("rate_distortion",),
        tests="tests/theory/learning/test_water_filling.py",
        source="reverse water-filling: {shannon1959}; the VAE on it: this project",
        scope="Gaussian data, a latent for every eigenvalue above the water level; noise fixed or learned",
    ),
    Result(
        name="held-rate",
        claim="A rate or a distortion fixes the water level of the optimal VAE, and with it beta: the level over the "
        "noise, or D times the level over the distortion if the noise is learned.",
        functions=("theory.beta_for_rate", "theory.beta_for_distortion", "theory.operating_point"),
        page=None,
        checks=("held_rate",),
        tests="tests/theory/learning/test_operating_points.py",
        source="the curve: {shannon1959}; its beta: this project",
        scope="any data covariance, noise fixed or learned; with a latent for every mode and a learned noise one beta "
        "has every large rate",
        missing="no page: water-filling and learned-noise derive the curve and the noise; no figure: rate_distortion "
        "shows the curve",
    ),
    Result(
        name="capacity-penalty",
        claim="With fewer latents than modes above the water, but at least one, the VAE lies above Shannon's curve by "
        "a closed excess.",
        functions=("theory.learning.capacity_penalty",),
        page=None,
        checks=("capacity_penalty",),
        figures=("rate_distortion",),
        tests="tests/theory/learning/test_water_filling.py",
        source="this project",
        scope="Gaussian data",
        missing="no page: water-filling shows that the VAE lies above, but not the level of Shannon's curve at equal "
        "distortion or rate, from which the excess follows",
    ),
    Result(
        name="learned-noise",
        claim="The learned noise is the variance beyond the q active modes, divided by D - q beta.",
        functions=(
            "theory.learning.learned_noise_variance",
            "theory.learning.profile_loss",
            "theory.optimum",
        ),
        page="learned-noise",
        checks=("optimum_learned_noise", "learned_noise"),
        figures=("learned_noise",),
        tests="tests/theory/learning/test_learned_noise.py",
        source="beta = 1: {tipping1999}; else this project, in the setting of {wang2022}",
        scope="any data covariance; if K >= rank the noise runs to zero below beta = D / rank, and is undetermined "
        "there",
    ),
    Result(
        name="rotation",
        claim="A rotation of the latents costs nothing with a full posterior, and (beta/2) times the Hadamard gap of "
        "the rotated precision with a diagonal one: for two modes (beta/2) log(1 + x), x = (p1 - p2)^2 sin^2(2a) / (4 "
        "p1 p2).",
        functions=(
            "theory.axes.rotation_energy",
            "theory.axes.two_mode_rotation_energy",
            "theory.axes.rotate",
        ),
        page="rotation",
        checks=("rotation_energy", "two_mode_rotation_energy"),
        figures=("rotation_energy",),
        tests="tests/theory/axes/test_rotation.py",
        source="in the setting of {mathieu2019} (Theorem 2) and {rolinek2019}",
        scope="prior N(0, I), any data and decoder, encoder optimised again, compared with a full posterior; two modes "
        "of precisions p1 and p2 at an angle a to their axes",
    ),
    Result(
        name="rotation-curvature",
        claim="At the principal axes the energy of a rotation has the curvature beta (p_i - p_j)^2 / (p_i p_j) in a "
        "plane across blocks of the posterior, zero inside a block, and no mixed derivatives.",
        functions=("theory.axes.rotation_curvature",),
        page="rotation-curvature",
        checks=("rotation_curvature",),
        tests="tests/theory/axes/test_rotation.py",
        source="in the setting of {rolinek2019}",
        scope="any block-diagonal posterior; encoder optimised again or off-diagonal blocks dropped",
        missing="no figure: rotation_energy shows the whole curve",
    ),
    Result(
        name="orthogonality-by-chance",
        claim="A decoder of two latents with a random rotation has the mean distance (16 sqrt2/pi)(1 - cos(pi/8)) to "
        "orthogonality.",
        functions=("theory.axes.orthogonality_chance_level",),
        page="orthogonality-by-chance",
        checks=("orthogonality_chance",),
        figures=("degenerate_spectrum",),
        tests="tests/theory/axes/test_orthogonality.py",
        source="distance: {rolinek2019}; chance level: this project",
        status="exact for K = 2, else Monte Carlo",
        scope="right singular vectors uniform over the orthogonal matrices",
    ),
    Result(
        name="polarized-regime",
        claim="For an active latent the simplified KL of the polarized regime is too small by half its "
        "posterior variance.",
        functions=(
            "theory.axes.polarized_relative_error",
            "theory.axes.polarized_kl",
            "theory.axes.collapse_probability",
        ),
        page="polarized-regime",
        checks=("polarized_regime",),
        tests="tests/theory/axes/test_polarized.py",
        source="in the setting of {rolinek2019}",
        scope="any linear VAE with a diagonal posterior; the relative error at the optimum of a learned decoder, the "
        "probability of collapse for Gaussian data",
        missing="no figure: one number for each latent",
    ),
    Result(
        name="smallest-manipulation",
        claim="The smallest change of a loading to given principal axes and gaps is a Procrustes problem, closed for "
        "two orthogonal columns.",
        functions=("theory.axes.smallest_manipulation", "theory.axes.two_factor_manipulation"),
        page="smallest-manipulation",
        checks=("smallest_manipulation", "two_factor_manipulation"),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_manipulation.py",
        source="in the setting of {zietlow2021}",
        status="exact for two orthogonal columns; else by a search, to 1e-12 of the squared norm of the loading",
        scope="any loading with D >= K; the closed form: two orthogonal columns",
    ),
    Result(
        name="largest-angle",
        claim="A change of given size rotates the principal axes of two orthogonal columns by a closed angle at most.",
        functions=("theory.axes.two_factor_largest_angle",),
        page="smallest-manipulation",
        checks=("largest_angle",),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_two_columns.py",
        source="in the setting of {zietlow2021}",
        scope="two orthogonal columns",
    ),
    Result(
        name="separation-by-time",
        claim="Uncorrelated factors with different correlation in time are separated by the lagged covariance, "
        "whatever the loading.",
        functions=("theory.axes.separate",),
        page="separation-by-time",
        checks=("separation_by_time",),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_separation.py",
        source="{tong1991} (AMUSE); with noise: this project",
        scope="factors of distinct lag correlations, noise white in time, a loading of full column rank, K <= D; the "
        "noise variance known or K < D",
    ),
    Result(
        name="annealed-prior",
        claim="The weight beta is weight 1 with an annealed prior, plus an entropy: Theorem 1 of Mathieu et al. 2019.",
        functions=(
            "theory.priors.annealed_terms",
            "theory.priors.rescaled_terms",
            "theory.priors.gaussian_log_normaliser",
            "theory.priors.student_log_normaliser",
        ),
        page="annealed-prior",
        checks=("annealed_prior", "prior_families"),
        tests="tests/theory/priors/test_annealing.py",
        source="{mathieu2019}, Theorem 1",
        status="exact; expectations under other than Gaussian priors by quadrature",
        scope="any prior p with a finite integral of p^beta; the function: Gaussian priors and any data, or a prior "
        "with `log_normaliser` (Student, a user's own) and Gaussian data; the rescaling: Gaussian priors",
        missing="no figure: an identity, whose two sides are one curve",
    ),
    Result(
        name="prior-optimum",
        claim="For Gaussian data no prior fixes the axes: every optimum stays one under all C*^(1/2) O C*^(-1/2), O "
        "orthogonal, C* the covariance of the code, at an excess loss that the data do not change.",
        functions=("theory.priors.prior_optimum", "theory.priors.nearest_gaussian"),
        page="prior-rotation",
        checks=("prior_optimum",),
        figures=("priors_and_axes",),
        tests="tests/theory/priors/test_optimum.py",
        source="this project, against {mathieu2019}",
        status="exact; the nearest Gaussian C* to 1e-12, for a user's own prior to about 1e-7",
        scope="learned decoder, full posterior, codes of mean zero, any prior with a nearest Gaussian",
    ),
    Result(
        name="prior-rotation-energy",
        claim="A rotation R of the code costs beta [E log p(z) - E log p(R z)]; if the code is distributed as the "
        "prior p, this is >= 0, and zero only for symmetries of p.",
        functions=("theory.priors.prior_rotation_energy", "theory.priors.factor_rotation_energy"),
        page="prior-rotation",
        checks=("prior_rotation_energy",),
        figures=("priors_and_axes",),
        tests="tests/theory/priors/test_rotation.py",
        source="this project, in the setting of {mathieu2019}",
        status="exact; by quadrature to 1e-12 of the expected log density, for a user's own prior to its own accuracy",
        scope="full posterior; any prior with the `Prior` protocol; a Gaussian code, or factors that are a finite "
        "mixture of Gaussians",
    ),
    Result(
        name="aggregate-penalty",
        claim="A penalty on the aggregate posterior has closed divergences; with a learned decoder its weight changes "
        "no optimum.",
        functions=(
            "theory.priors.aggregate_divergence",
            "theory.priors.kernel_mean",
            "theory.priors.regularised_terms",
            "theory.priors.regularised_encoder",
        ),
        page="aggregate-penalty",
        checks=("aggregate_penalty", "aggregate_penalty_learned"),
        figures=("decomposition",),
        tests="tests/theory/priors/test_regularised.py",
        source="objective: {mathieu2019}; closed forms: this project",
        status="exact; the encoder by a solver",
        scope="Gaussian data, weights alpha >= 0; with a learned decoder prior N(0, I)",
    ),
    Result(
        name="total-correlation",
        claim="Total correlation is that between groups plus that within them, along every chain of partitions.",
        functions=(
            "theory.groups.grouped_terms",
            "theory.groups.total_correlation_path",
            "theory.gaussian.total_correlation",
            "theory.elbo_terms",
        ),
        page="total-correlation",
        checks=("grouped_parts", "objective_parts", "gaussian_scores"),
        figures=("total_correlation",),
        tests="tests/theory/groups/test_decomposition.py",
        source="chain rule: classical; groups in the setting of {chen2022}",
        scope="any Gaussian code (the chain rule: any density), chains in which each partition refines the one before",
    ),
    Result(
        name="grouped-objective",
        claim="The grouped objective is a sum of log determinants; for a fixed decoder its optimum solves a matrix "
        "equation.",
        functions=("theory.groups.grouped_loss", "theory.groups.grouped_gradient", "theory.groups.grouped_optimum"),
        page="grouped-objective",
        checks=("grouped_parts", "grouped_optimum"),
        figures=("granularity", "granularity_trajectory", "total_correlation"),
        tests="tests/theory/groups/test_optimum.py",
        source="in the setting of {chen2022} and {chen2025}",
        status="the loss exact; the optimum the best local minimum found, exact up to the solver",
        scope="prior N(0, I), Gaussian data; the optimum for a fixed decoder and weights >= 0, where it is attained",
    ),
    Result(
        name="independent-groups",
        claim="For a large weight between groups the optimum tends to the best code of independent groups.",
        functions=("theory.groups.independent_groups",),
        page=None,
        checks=("independent_groups",),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_independence.py",
        source="this project",
        status="a local minimum, exact up to the solver",
        scope="fixed decoder, other weights >= 0, Gaussian data",
        missing="no page: a limit of the page grouped-objective, found by a solver",
    ),
    Result(
        name="learned-decoder-groups",
        claim="With a learned decoder no weight >= 0 on total correlation or single latents, and no grouping, changes "
        "the least loss.",
        functions=("theory.groups.learned_decoder_value",),
        page="total-correlation",
        checks=("grouped_learned_decoder", "idle_weights"),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_learned_decoder.py",
        source="this project, in the setting of {chen2022} and {chen2025}",
        scope="prior N(0, I), Gaussian data of any covariance, fixed weight of the information, any groups and "
        "posterior family; noise fixed or learned",
    ),
    Result(
        name="copied-signals",
        claim="With a learned decoder the grouped objective has no lower bound iff the weight of single latents is "
        "negative or a copied signal gains more than it costs.",
        functions=("theory.groups.learned_decoder_value",),
        page="copied-signals",
        checks=("copied_signals",),
        tests="tests/theory/groups/test_learned_decoder.py",
        source="this project, in the setting of {chen2022}",
        scope="prior N(0, I), Gaussian data that vary, positive weight of the information, fixed noise, diagonal "
        "posterior; the function also takes blocks and a learned noise, and says where the theory does not decide",
        missing="no figure: a limit in which the loss falls for ever",
    ),
    Result(
        name="correlated-prior",
        claim="A correlated prior shifts the optimal value of the grouped objective by a closed amount, zero only at "
        "weight 1 or without correlation.",
        functions=("theory.groups.correlated_prior_shift",),
        page="correlated-prior",
        checks=("correlated_prior",),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_learned_decoder.py",
        source="this project, in the setting of {chen2022} and {chen2025}",
        scope="two latents, one group each, any weight > 0 between them, all other weights 1; learned decoder, full "
        "posterior",
    ),
    Result(
        name="granularity-slope",
        claim="Slightly more weight between groups lowers the mean squared error of the inference if a closed slope "
        "at weight 1 is negative, and raises it if positive.",
        functions=("theory.groups.granularity_slope",),
        page="granularity-slope",
        checks=("granularity_slope",),
        figures=("granularity",),
        tests="tests/theory/groups/test_penalty_slope.py",
        source="this project, in the setting of {chen2022} and {chen2025}",
        scope="fixed decoder and noise (the function: those of the truth; the page: any), all other weights 1, any "
        "posterior family; no answer at slope 0",
    ),
    Result(
        name="minibatch-estimates",
        claim="Estimates of total correlation from minibatches of M of N points have a closed offset and, to leading "
        "order in 1/M and 1/N, a closed bias.",
        functions=(
            "theory.groups.minibatch_bias",
            "theory.groups.minibatch_offset",
            "theory.groups.minibatch_scale",
        ),
        page="minibatch-estimates",
        checks=("minibatch_estimates",),
        figures=("total_correlation",),
        tests="tests/theory/groups/test_minibatch.py",
        source="estimators: {chen2018}; the rest: this project",
        status="offset exact; bias asymptotic in M and N",
        scope="Gaussian data and codes, M and N large against the scale",
    ),
    Result(
        name="minibatch-bounds",
        claim="No minibatch estimate of the information, or of total correlation between groups, exceeds a closed "
        "bound.",
        functions=("theory.groups.minibatch_bounds",),
        page="minibatch-estimates",
        checks=("minibatch_bounds",),
        figures=("total_correlation",),
        tests="tests/theory/groups/test_minibatch.py",
        source="estimators: {chen2018}; bounds: this project",
        status="exact upper bounds",
        scope="any data, linear VAE and minibatch; between groups infinite if the posterior links them",
    ),
    Result(
        name="block-posterior",
        claim="Under a block-diagonal posterior the rotations inside a block and among equal precisions are free, K "
        "(b - 1) / 2 planes for equal blocks of size b and distinct precisions.",
        functions=("theory.groups.free_planes", "theory.axes.rotation_curvature"),
        page="block-posterior",
        checks=("rotation_curvature",),
        tests="tests/theory/groups/test_free_rotations.py",
        source="this project, in the setting of {chen2022} and {chen2025}",
        scope="a diagonal precision of the best posterior, as at the optimum of a learned decoder, where all "
        "collapsed latents tie; any partition",
        missing="no figure: a count",
    ),
    Result(
        name="group-selection",
        claim="Which factors belong in one group is decided from data by tests, which say whether the data can tell.",
        functions=("theory.groups.choose_groups",),
        page=None,
        checks=("group_selection",),
        tests="tests/theory/groups/selection/test_choice.py",
        source="this project; tests of the model: Muirhead 1982, Muirhead, Waternaux 1980",
        status="asymptotic in the number of data",
        scope="Gaussian data, or observations of any fourth moments; a fixed decoder of full column rank",
        missing="no page or figure: a statistical procedure, not a theorem; its level and power are tested",
    ),
    Result(
        name="gaussian-scores",
        claim="MIG, SAP, DCI, MCC and sparsity of a Gaussian code follow from the correlations of code and factors.",
        functions=(
            "theory.scores.scores",
            "theory.scores.mutual_information_matrix",
            "theory.scores.hoyer_chance_level",
        ),
        page="gaussian-scores",
        checks=("gaussian_scores",),
        figures=("hiding_factors",),
        tests="tests/theory/scores/test_disentanglement.py",
        source="population values of the usual sample scores; closed forms: this project",
        status="exact; sparsity by one smooth integral",
        scope="factors and code jointly Gaussian; the page has the information and the chance level of sparsity",
    ),
)


_SOLVER = "says how the solver ended, not what the optimum is"

_TEST = "evidence of a test of data; the groups that it chooses are compared with the true ones"
_EITHER_SIGN = "an axis, or a factor with its column, is determined up to its sign"

# What no experiment can notice if it is wrong: function and field of its result, for one kind of error or all, and why.
UNNOTICED = {
    "theory.optimum resolution": "a bound on the rounding of eigenvalues, not a quantity of the model",
    "theory.axes.orthogonality_chance_level standard_error": "the error of an average over few draws, known to a part",
    "theory.priors.regularised_encoder gradient_norm": _SOLVER,
    "theory.groups.grouped_optimum gradient_norm": _SOLVER,
    "theory.groups.grouped_optimum least_curvature": _SOLVER,
    "theory.groups.grouped_optimum starts": _SOLVER,
    "theory.groups.grouped_optimum agreeing": _SOLVER,
    "theory.groups.independent_groups gradient_norm": _SOLVER,
    "theory.groups.independent_groups least_curvature": _SOLVER,
    "theory.groups.independent_groups starts": _SOLVER,
    "theory.groups.independent_groups agreeing": _SOLVER,
    "theory.groups.choose_groups correlation_bound": _TEST,
    "theory.groups.choose_groups levels": _TEST,
    "theory.groups.choose_groups estimate": "that of `estimate_factors`, which the same check compares with the truth",
    "theory.axes.smallest_manipulation axes sign": _EITHER_SIGN,
    "theory.axes.two_factor_manipulation axes sign": _EITHER_SIGN,
    "theory.axes.separate demixing sign": _EITHER_SIGN,
    "theory.axes.separate loading sign": _EITHER_SIGN,
}

# What the experiment of each check is made of. Averages over points are exact for quadratic functions.
EXPERIMENTS = {
    "objective_parts": "averages over points, numpy's covariances, draws",
    "conventions": "each loss as it is written, minimised",
    "held_rate": "training from random starts at the stated beta, averages over points",
    "optimal_encoder": "encoders trained for a fixed decoder, the gradient at a stated one, fractions without rounding",
    "family_gap": "losses of trained encoders, determinants",
    "inference_errors": "averages over points, also as a noise vanishes",
    "inference_error_curve": "encoders trained at each beta, their errors as averages over points",
    "optimal_beta": "a search over encoders trained at each beta",
    "optimal_beta_learned_noise": "a search over encoders and noise trained at each beta, a search over noises",
    "slope_at_one": "differences of errors of trained encoders",
    "two_factors": "a search over trained encoders, differences of their errors, the optimum for any loading",
    "noise_mismatch": "a search over encoders trained at each beta",
    "correlated_factors": "a search over encoders trained at each beta, also of each factor alone",
    "random_mixing": "quadrature of Marchenko and Pastur's law, encoders trained for drawn loadings",
    "optimum_fixed_noise": "training from random starts",
    "optimum_learned_noise": "training from random starts, a determinant, averages over points",
    "optimum_full_posterior": "training from random starts",
    "optimal_weights": "training from random starts, latents aligned",
    "aggregate_posterior": "training from random starts, averages over points",
    "rate_distortion": "training from random starts at several betas",
    "capacity_penalty": "training from random starts, Shannon's curve by bisection",
    "collapse": "the curvature of the loss at a trained model with a dead latent, training beside the critical betas",
    "learned_noise": "training from random starts, losses at small noises",
    "first_and_second_order": "the gradient and the Hessian of the loss at stated optima, known eigenvalues",
    "digits_optimum": "training on handwritten digits",
    "learned_inference_error": "trained models, all assignments of latents to factors",
    "rotation_energy": "encoders trained for rotated decoders, averages over points",
    "two_mode_rotation_energy": "encoders trained for rotated decoders, averages over points",
    "rotation_curvature": "differences of losses trained for rotated decoders",
    "orthogonality_chance": "quadrature, all signed permutations, drawn rotations",
    "polarized_regime": "trained models, quadrature",
    "two_factor_manipulation": "a search under constraints over all entries of the loading",
    "smallest_manipulation": "a search under constraints over all entries of the loading",
    "largest_angle": "a search under constraints, the least change at each angle",
    "separation_by_time": "known autocorrelations, scipy's generalised eigenvalues, simulated series",
    "prior_families": "scipy's densities on grids, draws",
    "annealed_prior": "averages over points, sums over grids",
    "prior_optimum": "a search for the VAE of least loss, scipy's densities on grids",
    "prior_rotation_energy": "scipy's densities on grids",
    "aggregate_penalty": "averages over points, kernels on a grid, a search for the encoder of least loss",
    "aggregate_penalty_learned": "a search for the VAE of least loss",
    "gaussian_scores": "scikit-learn's scores of points with the moments of the code, quadrature, draws",
    "grouped_parts": "averages over points, their differences",
    "grouped_learned_decoder": "training of the grouped objective from random starts",
    "idle_weights": "training of the grouped objective from several random starts",
    "correlated_prior": "training of the grouped objective with that prior",
    "grouped_optimum": "training of the grouped objective for a fixed decoder",
    "independent_groups": "training at two large weights, extrapolated",
    "granularity_slope": "encoders trained for a fixed decoder, differences of their errors",
    "copied_signals": "losses of codes that copy signals more and more exactly",
    "group_selection": "simulated data sets",
    "minibatch_estimates": "simulated minibatches, quadrature of the ratio of densities",
    "minibatch_bounds": "simulated minibatches of an almost noiseless code",
}

_OWN = "none (this project's own)"

# Which figure or table of a paper each figure stands for, with a number only where that number was read; else in whose
# setting it is. "Second-hand": read in a report of the paper. Works by their keys, as in the sources above.
FIGURES_STAND_FOR = {
    name: text.format_map(WORKS)
    for name, text in {
        "inference_error": "in the setting of {sikka2019}, whose abstract states a finite optimal beta",
        "optimal_beta": "in the setting of {sikka2019}, whose abstract states a finite optimal beta",
        "learned_inference_error": "in the setting of {sikka2019}, but with a learned decoder",
        "collapse": "in the setting of {lucas2019} and {wang2022}, on other data than their MNIST",
        "rate_distortion": f"{_OWN}; the lower curve is that of {{shannon1959}}",
        "learned_noise": "in the setting of {wang2022}; at beta = 1 the noise of {tipping1999}",
        "convergence": _OWN,
        "rotation_energy": "in the setting of {mathieu2019}, Theorem 2, and of {rolinek2019}",
        "degenerate_spectrum": "the linear data of {rolinek2019}, Tables 1 and 4 (second-hand)",
        "priors_and_axes": "in the setting of {mathieu2019}",
        "decomposition": "in the setting of {mathieu2019}",
        "granularity": "in the setting of {chen2022} and {chen2025}",
        "granularity_trajectory": "in the setting of {chen2022} and {chen2025}, whose abstracts both report a "
        "V-shaped trajectory of the best ELBO",
        "total_correlation": "in the setting of {chen2022}, with the minibatch estimators of {chen2018}",
        "hiding_factors": "in the setting of {zietlow2021}, Table 1 (second-hand), in direction only",
        "growth": "none (a measurement)",
    }.items()
}


def matching(word: str) -> tuple[Result, ...]:
    """The result of a name, or else those that mention the word.

    Examples
    --------
    >>> [result.name for result in matching("rotation")], [result.name for result in matching("optimum_fixed_noise")]
    (['rotation'], ['global-optimum'])
    """
    named = tuple(result for result in RESULTS if result.name == word.strip().lower().replace("_", "-"))
    return named or mentioning(word)


def mentioning(word: str) -> tuple[Result, ...]:
    """The results that have a word anywhere in their record but in status, scope and what is missing."""
    wanted = _plain(word.strip())
    return tuple(result for result in RESULTS if wanted and wanted in _text(result))


def _text(result: Result) -> str:
    places = (*result.functions, result.page or "", *result.checks, *result.figures, result.tests)
    return _plain(" ".join((result.name, result.claim, *places, result.source, *result.references)))


def _plain(text: str) -> str:
    return text.lower().replace("_", " ").replace("-", " ")


def named_by_results(page: str, kind: str) -> tuple[str, ...]:
    """The functions, checks or figures of all results that a page of the book derives, each once."""
    results = (result for result in RESULTS if result.page == page)
    return tuple(dict.fromkeys(name for result in results for name in getattr(result, kind)))


def expand(name: str, kind: str, known: Iterable[str]) -> list[str]:
    """What a name stands for among the pages, checks or figures: itself, or those of the result of that name.

    Parameters
    ----------
    name : str
        with hyphens or underscores.
    kind : "page", "checks" or "figures"
    known : names of that kind

    Returns
    -------
    list of str
        the name as it came, if it is unknown: whoever asked says so.

    Raises
    ------
    ValueError
        for a result that has nothing of that kind; it says why.
    """
    known = list(known)
    if name in known:
        return [name]
    hyphens, underscores = name.replace("_", "-"), name.replace("-", "_")
    results = [result for result in RESULTS if result.name == hyphens]
    if not results or "-" not in name:  # "optimal-beta" is the result, "optimal_beta" the check or figure
        for spelling in (hyphens, underscores):
            if spelling in known:
                return [spelling]
    if not results:
        return [name]
    (result,) = results
    names = [result.page] if kind == "page" else list(getattr(result, kind))
    if not names or names == [None]:
        reason = f" ({result.missing})" if result.missing else ""
        raise ValueError(f"the result {result.name!r} has no {KINDS[kind]}{reason}; name another")
    return names
