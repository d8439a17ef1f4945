"""The decoder is fixed: best encoder, inference errors, their curve over beta and its optimum, special cases."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.inference.beta_from_data": "BetaFromData BetaInterval optimal_beta_from_data",
        "theory.inference.beta_of_least_error": "inference_error_curve optimal_beta OptimalBeta",
        "theory.inference.encoder": "family_gap optimal_encoder",
        "theory.inference.error": "inference_error InferenceError",
        "theory.inference.mismatched_noise": "forward_kl_slope mismatched_beta squared_error_level_bracket",
        "theory.inference.random_mixing": "random_mixing_errors random_mixing_loading random_mixing_optimal_beta",
        "theory.inference.two_factors": (
            "small_coherence_beta two_factor_loading two_factor_optimal_beta two_factor_polynomial"
        ),
    },
)
