"""The decoder is known: best encoder, inference errors, the curve over beta and its optimum, laws and limits."""

from theory.inference.encoder import family_gap, optimal_encoder
from theory.inference.error import InferenceError, inference_error
from theory.inference.laws import forward_kl_slope, mismatched_beta, squared_error_level_bracket
from theory.inference.optimal_beta import OptimalBeta, inference_error_curve, optimal_beta
from theory.inference.random_mixing import (
    random_mixing_errors,
    random_mixing_loading,
    random_mixing_optimal_beta,
)
from theory.inference.two_factors import (
    small_coherence_beta,
    two_factor_loading,
    two_factor_optimal_beta,
    two_factor_polynomial,
)

__all__ = [
    "InferenceError",
    "OptimalBeta",
    "family_gap",
    "forward_kl_slope",
    "inference_error",
    "inference_error_curve",
    "mismatched_beta",
    "optimal_beta",
    "optimal_encoder",
    "random_mixing_errors",
    "random_mixing_loading",
    "random_mixing_optimal_beta",
    "small_coherence_beta",
    "squared_error_level_bracket",
    "two_factor_loading",
    "two_factor_optimal_beta",
    "two_factor_polynomial",
]
