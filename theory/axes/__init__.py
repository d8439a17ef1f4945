"""Which axes the latents take: rotations, and what a diagonal posterior charges for them."""

from theory.axes.rotation import plane_rotation, rotate, rotation_energy, two_mode_rotation_energy

__all__ = ["plane_rotation", "rotate", "rotation_energy", "two_mode_rotation_energy"]
