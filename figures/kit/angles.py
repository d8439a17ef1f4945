"""Angles of two latents: a rotation by a right angle only permutes and flips them."""

from __future__ import annotations

import numpy as np

from numerics.comparison import FALSE_ALARM, Comparison

__all__ = ["by_chance", "concentration", "modulo_right_angle"]


def modulo_right_angle(degrees):
    """The equal angle from -45 to below 45 degrees."""
    return (degrees + 45) % 90 - 45


def by_chance(count: int) -> float:
    """What the concentration of so many angles drawn evenly exceeds with a chance of at most `FALSE_ALARM` (Rayleigh).

    The chance that it exceeds r is below exp(-n r^2).
    """
    return float(np.sqrt(np.log(1 / FALSE_ALARM) / count))


def concentration(quantity: str, degrees, tolerance: float, reason: str) -> Comparison:
    """The check that angles modulo a right angle are spread out: |mean exp(4 i angle)| is at most a tolerance."""
    return Comparison(
        quantity=quantity,
        source="trained",
        deviation=float(np.abs(np.exp(4j * np.radians(degrees)).mean())),
        tolerance=tolerance,
        unit="of 1",
        points=len(degrees),
        reason=reason,
    )
