"""The decoder is learned: the global optimum, the noise it learns, and its place on the rate-distortion curve."""

from theory.learning.noise import LearnedNoise, critical_betas, learned_noise_variance, profile_loss
from theory.learning.optimum import Optimum, OptimumCurve, optimum, optimum_curve
from theory.learning.rate_distortion import (
    CapacityPenalty,
    RateDistortion,
    capacity_penalty,
    rate_distortion,
    vae_rate_distortion,
    water_level_for_distortion,
    water_level_for_rate,
)

__all__ = [
    "CapacityPenalty",
    "LearnedNoise",
    "Optimum",
    "OptimumCurve",
    "RateDistortion",
    "capacity_penalty",
    "critical_betas",
    "learned_noise_variance",
    "optimum",
    "optimum_curve",
    "profile_loss",
    "rate_distortion",
    "vae_rate_distortion",
    "water_level_for_distortion",
    "water_level_for_rate",
]
