"""Closed forms of the linear-Gaussian beta-VAE: plain functions of arrays and frozen dataclasses.

The rooms: `inference` (the decoder is known), `learning` (the decoder is learned), `axes` (which axes the latents take,
and what other priors change), `groups` (which latents belong together under a penalty on total correlation). All of
them stand on `objective`. Everything in nats and float64.
"""

from theory import interrupts  # noqa: F401  before all else, see there
from theory.inference import (
    InferenceError,
    OptimalBeta,
    inference_error,
    inference_error_curve,
    optimal_beta,
    optimal_encoder,
)
from theory.learning import Optimum, RateDistortion, optimum, optimum_curve, rate_distortion
from theory.model import GenerativeModel, LinearVAE, Moments
from theory.objective import ElboTerms, elbo_terms

__all__ = [
    "ElboTerms",
    "GenerativeModel",
    "InferenceError",
    "LinearVAE",
    "Moments",
    "OptimalBeta",
    "Optimum",
    "RateDistortion",
    "elbo_terms",
    "inference_error",
    "inference_error_curve",
    "optimal_beta",
    "optimal_encoder",
    "optimum",
    "optimum_curve",
    "rate_distortion",
]
