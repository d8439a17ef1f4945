"""The decoder is learned: the global optimum, its learned noise, and its point on the rate-distortion curve."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.learning.global_optimum": "Optimum optimum optimum_curve OptimumCurve",
        "theory.learning.learned_noise": "critical_betas learned_noise_variance LearnedNoise profile_loss",
        "theory.learning.operating_points": "beta_for_distortion beta_for_rate operating_point OperatingPoint",
        "theory.learning.report": "data_report DataReport",
        "theory.learning.water_filling": (
            "capacity_penalty CapacityPenalty rate_distortion RateDistortion vae_rate_distortion "
            "water_level_for_distortion water_level_for_rate"
        ),
    },
)
