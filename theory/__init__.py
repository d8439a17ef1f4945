"""Closed forms of the linear-Gaussian beta-VAE: plain functions of arrays and frozen dataclasses.

The rooms: `inference` (the decoder is fixed), `learning` (the decoder is learned), `axes` (which axes the latents
take), `priors` (priors other than N(0, I)), `groups` (which latents belong together under a penalty on total
correlation) and `scores` (disentanglement scores). They stand on `model`, `gaussian` and `objective`; `axes` uses
`inference`, and `groups` and `priors` use `axes`, `inference` and `learning`. Everything in nats and float64.
"""

from theory.interface import interrupts  # noqa: F401  before libraries are loaded, see there
from theory.interface.facade import facade
from theory.interface.version import VERSION as __version__  # noqa: F401

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.inference.beta_from_data": "optimal_beta_from_data",
        "theory.inference.beta_of_least_error": "inference_error_curve optimal_beta OptimalBeta",
        "theory.inference.encoder": "optimal_encoder",
        "theory.inference.error": "inference_error InferenceError",
        "theory.conventions": "convention Convention kl_weight",
        "theory.learning.global_optimum": "Optimum optimum optimum_curve",
        "theory.learning.learned_noise": "critical_betas",
        "theory.learning.operating_points": "beta_for_distortion beta_for_rate operating_point OperatingPoint",
        "theory.learning.report": "data_report DataReport",
        "theory.learning.water_filling": "rate_distortion RateDistortion",
        "theory.model": "FittedModel GenerativeModel LinearVAE",
        "theory.moments": "Moments",
        "theory.objective": "elbo_terms ElboTerms",
    },
)
