"""Which axes the latents take: rotations and their cost for a diagonal posterior, and hidden factors."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.axes.manipulation": "Manipulation manipulation_to smallest_manipulation",
        "theory.axes.orthogonal": "plane_rotation",
        "theory.axes.orthogonality": (
            "ChanceLevel distance_to_orthogonality orthogonality_chance_level orthogonality_distribution "
            "OrthogonalityDistance"
        ),
        "theory.axes.polarized": (
            "Activity collapse_probability latent_activity polarized_kl polarized_relative_error PolarizedKL"
        ),
        "theory.axes.rotation": "rotate rotation_curvature rotation_energy two_mode_rotation_energy",
        "theory.axes.separation": "separate separate_series Separation",
        "theory.axes.temporal_model": "TemporalModel",
        "theory.axes.two_columns": "two_factor_largest_angle two_factor_manipulation",
    },
)
