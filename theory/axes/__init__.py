"""Which axes the latents take: rotations, and what a diagonal posterior charges for them."""

from theory.axes.aggregate import aggregate_divergence, kernel_mean
from theory.axes.annealing import (
    AnnealedTerms,
    RescaledTerms,
    annealed_terms,
    gaussian_log_normaliser,
    rescale,
    rescaled_terms,
    student_log_normaliser,
)
from theory.axes.manipulation import (
    Manipulation,
    manipulation_to,
    smallest_manipulation,
    two_factor_largest_angle,
    two_factor_manipulation,
)
from theory.axes.orthogonality import (
    ChanceLevel,
    OrthogonalityDistance,
    distance_to_orthogonality,
    orthogonality_chance_level,
)
from theory.axes.polarized import (
    Activity,
    PolarizedKL,
    collapse_probability,
    latent_activity,
    polarized_kl,
    polarized_relative_error,
)
from theory.axes.prior_rotation import (
    PriorOptimum,
    factor_rotation_energy,
    nearest_gaussian,
    prior_optimum,
    prior_rotation_energy,
)
from theory.axes.priors import ClusterPrior, GaussianPrior, Prior, SpikeSlabPrior, StudentPrior
from theory.axes.regularised import RegularisedEncoder, RegularisedTerms, regularised_encoder, regularised_terms
from theory.axes.rotation import plane_rotation, rotate, rotation_curvature, rotation_energy, two_mode_rotation_energy
from theory.axes.separation import Separation, TemporalModel, separate, separate_series

__all__ = [
    "Activity",
    "AnnealedTerms",
    "ChanceLevel",
    "ClusterPrior",
    "GaussianPrior",
    "Manipulation",
    "OrthogonalityDistance",
    "PolarizedKL",
    "Prior",
    "PriorOptimum",
    "RegularisedEncoder",
    "RegularisedTerms",
    "RescaledTerms",
    "Separation",
    "SpikeSlabPrior",
    "StudentPrior",
    "TemporalModel",
    "aggregate_divergence",
    "annealed_terms",
    "collapse_probability",
    "distance_to_orthogonality",
    "factor_rotation_energy",
    "gaussian_log_normaliser",
    "kernel_mean",
    "latent_activity",
    "manipulation_to",
    "nearest_gaussian",
    "orthogonality_chance_level",
    "plane_rotation",
    "polarized_kl",
    "polarized_relative_error",
    "prior_optimum",
    "prior_rotation_energy",
    "regularised_encoder",
    "regularised_terms",
    "rescale",
    "rescaled_terms",
    "rotate",
    "rotation_curvature",
    "rotation_energy",
    "separate",
    "separate_series",
    "smallest_manipulation",
    "student_log_normaliser",
    "two_factor_largest_angle",
    "two_factor_manipulation",
    "two_mode_rotation_energy",
]
