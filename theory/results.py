"""The index of results: one record a theorem, with everything in which it exists.

Each result has a name (lower case, hyphens), a claim, the functions that compute it, the page that derives it, the
checks that compare it with experiments, the figures that show it, its test file, its source, its status and its scope.
What a result has none of is said in `missing`. All are names, so that this module imports nothing.

From here come `docs/results.md`, the table of the README, `python -m theory results`, the lines "computed by" and "seen
in" of the book, and the names that `derive`, `verify --only` and `figures --only` understand.

To add a theorem, add its record; `tests/theory/test_results.py` then names what is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["RESULTS", "Result", "expand", "matching", "named_by_results"]

KINDS = {"page": "derivation", "checks": "check", "figures": "figure"}

SIKKA = "in the setting of Sikka et al. 2019"
MATHIEU = "in the setting of Mathieu et al. 2019"
ROLINEK = "in the setting of Rolinek et al. 2019"
ZIETLOW = "in the setting of Zietlow et al. 2021"
CHEN = "in the setting of Chen et al. 2022 and 2025"
OWN = "this project"


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
        "in the setting of" a paper: the paper poses the question, the formula is this project's own derivation.
    status : str
        "exact", "asymptotic", or what else holds.
    scope : str
        for which inputs.
    missing : str
        why it has no page, check or figure, where it has none.
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

    @property
    def room(self) -> str:
        """The room of `theory` in which its functions are; empty for the modules that all rooms stand on."""
        parts = self.tests.split("/")
        return parts[2] if len(parts) > 3 else ""


RESULTS = (
    Result(
        name="gaussian-kl",
        claim="The divergence between two Gaussians follows from their means and covariances.",
        functions=("theory.gaussian.kl_divergence",),
        page="gaussian-kl",
        checks=("aggregate_penalty",),
        tests="tests/theory/test_gaussian.py",
        source="classical",
        scope="any two Gaussians of one dimension",
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
        source="definition; the linear VAE of Lucas et al. 2019",
        scope="any linear VAE, any data covariance",
        missing="no figure: the definition that every figure uses",
    ),
    Result(
        name="hadamard-gap",
        claim="Keeping only the blocks of a positive definite matrix raises its log determinant, unless nothing is "
        "dropped.",
        functions=("theory.gaussian.hadamard_gap",),
        page="hadamard-gap",
        checks=(),
        tests="tests/theory/test_gaussian.py",
        source="classical (Hadamard, Fischer)",
        scope="any positive definite matrix, any partition",
        missing="no check or figure: a building block; its price is checked under posterior-families",
    ),
    Result(
        name="optimal-encoder",
        claim="For a fixed decoder the best encoder is Gaussian with precision I + W^T W / (beta s2).",
        functions=("theory.optimal_encoder",),
        page="optimal-encoder",
        checks=("optimal_encoder",),
        figures=("inference_error",),
        tests="tests/theory/inference/test_encoder.py",
        source=SIKKA,
        scope="any decoder, any posterior family",
    ),
    Result(
        name="posterior-families",
        claim="A block-diagonal posterior costs (beta/2) times the Hadamard gap of the precision.",
        functions=("theory.inference.family_gap", "theory.optimal_encoder"),
        page="posterior-families",
        checks=("family_gap", "optimal_encoder"),
        tests="tests/theory/inference/test_encoder.py",
        source="in the setting of Sikka et al. 2019 and Rolinek et al. 2019",
        scope="any decoder, any partition of the latents",
        missing="no figure: rotation_energy shows it for rotated decoders",
    ),
    Result(
        name="inference-error",
        claim="Mean squared error, log score, forward and reverse KL of an encoder against the true posterior are "
        "closed.",
        functions=("theory.inference_error", "theory.inference_error_curve"),
        page="inference-error",
        checks=("inference_errors", "inference_error_curve"),
        figures=("inference_error",),
        tests="tests/theory/inference/test_error.py",
        source=SIKKA,
        scope="any encoder, any truth",
    ),
    Result(
        name="optimal-beta",
        claim="The beta of least error is a root of the slope on the curve of best encoders, noise fixed or learned.",
        functions=("theory.optimal_beta",),
        page="slope-at-one",
        checks=("optimal_beta", "optimal_beta_learned_noise"),
        figures=("inference_error", "optimal_beta"),
        tests="tests/theory/inference/test_beta_of_least_error.py",
        source=SIKKA,
        status="exact, found by search",
        scope="any truth, any fixed decoder, not only the true one",
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
        source=SIKKA,
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
        source=SIKKA,
        scope="the true decoder, any criterion, any truth",
    ),
    Result(
        name="correlated-factors",
        claim="For correlated factors the water level of least mean squared error lies in a bracket.",
        functions=("theory.inference.squared_error_level_bracket",),
        page="noise-mismatch",
        checks=("correlated_factors",),
        tests="tests/theory/inference/test_mismatched_noise.py",
        source=SIKKA,
        status="exact bounds",
        scope="the true decoder, any covariance of the factors",
        missing="no figure: a bracket, not a curve",
    ),
    Result(
        name="two-factors",
        claim="For two factors of equal norm the beta of least forward KL is a root of a polynomial of degree 7.",
        functions=("theory.inference.two_factor_polynomial", "theory.inference.two_factor_optimal_beta"),
        page="two-factors",
        checks=("two_factors",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_two_factors.py",
        source=OWN,
        scope="two columns of equal norm, the true decoder and noise",
        missing="no check calls two_factor_polynomial: the check finds the same beta by search",
    ),
    Result(
        name="small-coherence",
        claim="For weakly coherent columns the beta of least forward KL exceeds 1 by a multiple of the squared "
        "coherence.",
        functions=("theory.inference.small_coherence_beta",),
        page="two-factors",
        checks=("two_factors",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_two_factors.py",
        source=OWN,
        status="asymptotic, O(coherence^4)",
        scope="small coherence, the true decoder and noise",
    ),
    Result(
        name="random-mixing",
        claim="For a random loading in high dimension every error per factor is an integral over the Marchenko-Pastur "
        "law.",
        functions=("theory.inference.random_mixing_errors", "theory.inference.random_mixing_optimal_beta"),
        page="random-mixing",
        checks=("random_mixing",),
        figures=("optimal_beta",),
        tests="tests/theory/inference/test_random_mixing.py",
        source="spectrum: Marchenko, Pastur 1967; the rest this project",
        status="asymptotic, D and K to infinity",
        scope="independent entries, K / D fixed",
    ),
    Result(
        name="learned-inference-error",
        claim="A learned VAE finds independent factors only where the columns of the loading are orthogonal and of "
        "different norms.",
        functions=("theory.inference_error",),
        page="inference-error",
        checks=("learned_inference_error",),
        figures=("learned_inference_error",),
        tests="tests/theory/inference/test_error.py",
        source=SIKKA,
        scope="decoder, encoder and noise learned; latents matched to factors",
    ),
    Result(
        name="ppca-equivalence",
        claim="At a fixed noise the beta-VAE is probabilistic PCA with the noise beta s2.",
        functions=("theory.learning.profile_loss", "theory.optimum"),
        page="ppca-equivalence",
        checks=("optimum_full_posterior",),
        figures=("learned_noise",),
        tests="tests/theory/learning/test_noise.py",
        source="Tipping, Bishop 1999; Lucas et al. 2019",
        scope="full posterior covariance, fixed noise",
        missing="no check calls profile_loss: its minimum is checked under learned-noise",
    ),
    Result(
        name="global-optimum",
        claim="With a learned decoder latent i is active iff its eigenvalue exceeds beta s2, on the principal axes.",
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
        source="probabilistic PCA; Lucas et al. 2019; Wang, Ziyin 2022",
        scope="any data covariance, any posterior family, noise fixed or learned",
    ),
    Result(
        name="collapse",
        claim="Each latent collapses to the prior at a critical beta, and stays collapsed beyond it.",
        functions=("theory.learning.critical_betas",),
        page="learned-noise",
        checks=("collapse",),
        figures=("collapse", "learned_noise"),
        tests="tests/theory/learning/test_noise.py",
        source="beta = 1: Lucas et al. 2019; else this project",
        scope="learned noise; at a fixed noise the critical beta is eigenvalue / noise",
    ),
    Result(
        name="aggregate-posterior",
        claim="At the optimum the aggregate posterior is the prior: the rate is all mutual information.",
        functions=("theory.optimum", "theory.elbo_terms"),
        page="aggregate-posterior",
        checks=("aggregate_posterior",),
        figures=("collapse",),
        tests="tests/theory/learning/test_global_optimum.py",
        source="Lucas et al. 2019",
        scope="every stationary decoder with its best full posterior",
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
        source="reverse water-filling: Shannon 1959; the VAE on it: this project",
        scope="Gaussian data",
        missing="no check calls vae_rate_distortion: the check compares the parts of trained models with the curve",
    ),
    Result(
        name="capacity-penalty",
        claim="With fewer latents than modes above the water the VAE lies above Shannon's curve by a closed excess.",
        functions=("theory.learning.capacity_penalty",),
        page=None,
        checks=("capacity_penalty",),
        figures=("rate_distortion",),
        tests="tests/theory/learning/test_water_filling.py",
        source=OWN,
        scope="Gaussian data",
        missing="no page: the difference of two closed forms of the page water-filling",
    ),
    Result(
        name="learned-noise",
        claim="The learned noise is r / (D - q beta), with q active modes and the variance r beyond them.",
        functions=(
            "theory.learning.learned_noise_variance",
            "theory.learning.profile_loss",
            "theory.optimum",
        ),
        page="learned-noise",
        checks=("optimum_learned_noise",),
        figures=("learned_noise",),
        tests="tests/theory/learning/test_noise.py",
        source="beta = 1: Tipping, Bishop 1999; else this project",
        scope="any data covariance; where the noise runs to zero this is the result",
        missing="no check calls learned_noise_variance and profile_loss: the check trains what optimum returns",
    ),
    Result(
        name="rotation",
        claim="A rotation of the latents changes nothing with a full posterior, and costs (beta/2) log(1 + x) with a "
        "diagonal one.",
        functions=(
            "theory.axes.rotation_energy",
            "theory.axes.two_mode_rotation_energy",
            "theory.axes.rotate",
        ),
        page="rotation",
        checks=("rotation_energy", "two_mode_rotation_energy"),
        figures=("rotation_energy",),
        tests="tests/theory/axes/test_rotation.py",
        source="in the setting of Mathieu et al. 2019 (Theorem 2) and Rolinek et al. 2019",
        scope="prior N(0, I), any data, any decoder",
    ),
    Result(
        name="rotation-curvature",
        claim="At the principal axes the energy of a rotation has curvature beta (p_i - p_j)^2 / (p_i p_j), plane by "
        "plane.",
        functions=("theory.axes.rotation_curvature",),
        page="rotation-curvature",
        checks=("rotation_curvature",),
        tests="tests/theory/axes/test_rotation.py",
        source=ROLINEK,
        scope="any posterior family",
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
        source="distance: Rolinek et al. 2019; chance level: this project",
        status="exact for K = 2, else Monte Carlo",
        scope="right singular vectors uniform over the rotations",
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
        source=ROLINEK,
        scope="any linear VAE; the relative error at the optimum",
        missing="no check calls polarized_kl: its error is checked; no figure: one number for each latent",
    ),
    Result(
        name="smallest-manipulation",
        claim="The smallest change of a loading that rotates its principal axes is a Procrustes problem, closed for "
        "two orthogonal columns.",
        functions=("theory.axes.smallest_manipulation", "theory.axes.two_factor_manipulation"),
        page="smallest-manipulation",
        checks=("smallest_manipulation",),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_manipulation.py",
        source=ZIETLOW,
        scope="any loading with D >= K",
    ),
    Result(
        name="largest-angle",
        claim="A change of given size rotates the principal axes of two orthogonal columns by a closed angle at most.",
        functions=("theory.axes.two_factor_largest_angle",),
        page="smallest-manipulation",
        checks=("largest_angle",),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_two_columns.py",
        source=ZIETLOW,
        scope="two orthogonal columns",
    ),
    Result(
        name="separation-by-time",
        claim="Factors with different correlation in time are separated by the lagged covariance, whatever the "
        "loading.",
        functions=("theory.axes.separate",),
        page="separation-by-time",
        checks=("separation_by_time",),
        figures=("hiding_factors",),
        tests="tests/theory/axes/test_separation.py",
        source="Tong et al. 1991 (AMUSE)",
        scope="independent factors of different lag correlations",
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
        checks=("annealed_prior",),
        tests="tests/theory/priors/test_annealing.py",
        source="Mathieu et al. 2019, Theorem 1",
        scope="Gaussian priors; the normaliser also of Student priors",
        missing="no check calls student_log_normaliser, which is an integral of its own; no figure: an "
        "identity, whose two sides are one curve",
    ),
    Result(
        name="prior-optimum",
        claim="For Gaussian data no prior fixes the axes: the optima are an orbit of rotations, at a constant excess "
        "loss.",
        functions=("theory.priors.prior_optimum", "theory.priors.nearest_gaussian"),
        page="prior-rotation",
        checks=("prior_optimum",),
        figures=("priors_and_axes",),
        tests="tests/theory/priors/test_optimum.py",
        source="this project, against Mathieu et al. 2019",
        status="exact; quadrature to 1e-12",
        scope="learned decoder, full posterior, Gaussian data, any prior",
    ),
    Result(
        name="prior-rotation-energy",
        claim="What a rotation of the code costs under a prior, for a Gaussian code and for factors of other laws.",
        functions=("theory.priors.prior_rotation_energy", "theory.priors.factor_rotation_energy"),
        page="prior-rotation",
        checks=("prior_rotation_energy",),
        figures=("priors_and_axes",),
        tests="tests/theory/priors/test_rotation.py",
        source=OWN,
        status="exact; quadrature to 1e-12",
        scope="any prior with the `Prior` protocol",
    ),
    Result(
        name="aggregate-penalty",
        claim="A penalty on the aggregate posterior has closed divergences; with a learned decoder its weight changes "
        "nothing.",
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
        source="objective: Mathieu et al. 2019; closed forms: this project",
        status="exact; the encoder by a solver",
        scope="Gaussian codes",
        missing="no check calls kernel_mean, which the divergence by kernels is made of",
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
        source="chain rule: classical; groups " + CHEN,
        scope="any Gaussian code",
        missing="no check calls total_correlation_path: its steps are those of grouped_terms",
    ),
    Result(
        name="grouped-objective",
        claim="The grouped objective is a sum of log determinants; for a fixed decoder its optimum solves a matrix "
        "equation.",
        functions=("theory.groups.grouped_loss", "theory.groups.grouped_gradient", "theory.groups.grouped_optimum"),
        page="grouped-objective",
        checks=("grouped_optimum",),
        figures=("granularity", "granularity_trajectory", "total_correlation"),
        tests="tests/theory/groups/test_optimum.py",
        source=CHEN,
        status="a local minimum, exact up to the solver",
        scope="fixed decoder, any weights with a lower bound",
        missing="no check calls grouped_loss and grouped_gradient: the check trains what grouped_optimum returns",
    ),
    Result(
        name="independent-groups",
        claim="For a large weight between groups the optimum tends to the best code of independent groups.",
        functions=("theory.groups.independent_groups",),
        page=None,
        checks=("independent_groups",),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_independence.py",
        source=OWN,
        status="a local minimum, exact up to the solver",
        scope="fixed decoder",
        missing="no page: a limit of the page grouped-objective, found by a solver",
    ),
    Result(
        name="learned-decoder-groups",
        claim="With a learned decoder no weight >= 0 and no grouping changes the least loss; negative weights may "
        "leave none.",
        functions=("theory.groups.learned_decoder_value",),
        page="copied-signals",
        checks=("grouped_learned_decoder",),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_learned_decoder.py",
        source=CHEN,
        scope="prior N(0, I), fixed noise",
    ),
    Result(
        name="correlated-prior",
        claim="A correlated prior shifts the optimal value of the grouped objective by a closed amount.",
        functions=("theory.groups.correlated_prior_shift",),
        page="correlated-prior",
        checks=("correlated_prior",),
        figures=("granularity_trajectory",),
        tests="tests/theory/groups/test_learned_decoder.py",
        source=CHEN,
        scope="two latents, one group each, learned decoder",
    ),
    Result(
        name="granularity-slope",
        claim="A little penalty between groups helps the inference iff a closed slope at weight 1 is negative.",
        functions=("theory.groups.granularity_slope",),
        page="granularity-slope",
        checks=("granularity_slope",),
        figures=("granularity",),
        tests="tests/theory/groups/test_penalty_slope.py",
        source=CHEN,
        scope="fixed decoder, weight near 1",
    ),
    Result(
        name="minibatch-estimates",
        claim="Estimates of total correlation from minibatches have a closed offset and, to leading order in 1/M, a "
        "closed bias.",
        functions=(
            "theory.groups.minibatch_bias",
            "theory.groups.minibatch_offset",
            "theory.groups.minibatch_scale",
        ),
        page="minibatch-estimates",
        checks=("minibatch_estimates",),
        figures=("total_correlation",),
        tests="tests/theory/groups/test_minibatch.py",
        source="estimators: R. T. Q. Chen et al. 2018; the rest: this project",
        status="offset exact; bias asymptotic in 1/M",
        scope="Gaussian codes",
    ),
    Result(
        name="minibatch-bounds",
        claim="Each minibatch estimate of the parts of the rate lies within closed bounds.",
        functions=("theory.groups.minibatch_bounds",),
        page="minibatch-estimates",
        checks=("minibatch_bounds",),
        figures=("total_correlation",),
        tests="tests/theory/groups/test_minibatch.py",
        source=OWN,
        status="exact bounds",
        scope="any Gaussian code, any minibatch",
    ),
    Result(
        name="block-posterior",
        claim="A block-diagonal posterior leaves K (b - 1) / 2 planes of rotation free, with blocks of size b over "
        "distinct modes.",
        functions=("theory.groups.free_planes", "theory.axes.rotation_curvature"),
        page="block-posterior",
        checks=("rotation_curvature",),
        tests="tests/theory/groups/test_free_rotations.py",
        source=CHEN,
        scope="learned decoder, any posterior family",
        missing="no check calls free_planes, a count; no figure: a count",
    ),
    Result(
        name="group-selection",
        claim="Which factors belong in one group is decided from data by tests, which say whether the data can tell.",
        functions=("theory.groups.choose_groups",),
        page=None,
        checks=(),
        tests="tests/theory/groups/selection/test_choice.py",
        source="this project; tests of the model: Muirhead 1982, Muirhead, Waternaux 1980",
        status="asymptotic in the number of data",
        scope="Gaussian data, or observations of any fourth moments; a fixed decoder",
        missing="no page, check or figure: a statistical procedure, not a theorem; its level and power are tested",
    ),
    Result(
        name="gaussian-scores",
        claim="MIG, SAP, DCI, MCC and sparsity of a Gaussian code follow from its correlations with the factors.",
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
        scope="factors and code jointly Gaussian",
        missing="no check calls hoyer_chance_level, a special case of hoyer_sparsity",
    ),
)


def matching(word: str) -> tuple[Result, ...]:
    """The results of a name, or else those that have the word anywhere in a name or in their claim.

    Examples
    --------
    >>> [result.name for result in matching("optimum_fixed_noise")]
    ['global-optimum']
    """
    wanted = word.lower().replace("_", "-")
    named = [result for result in RESULTS if result.name == wanted]
    if named:
        return tuple(named)
    plain = wanted.replace("-", " ")

    def text(result: Result) -> str:
        names = (*result.functions, result.page or "", *result.checks, *result.figures, result.source)
        return " ".join((result.name, result.claim, *names)).lower().replace("_", " ").replace("-", " ")

    return tuple(result for result in RESULTS if plain in text(result))


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
        raise ValueError(f"the result {result.name!r} has no {KINDS[kind]} ({result.missing}); name another")
    return names
