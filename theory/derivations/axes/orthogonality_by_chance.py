"""Page: the distance to orthogonality of a random decoder with two latents."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    h, y = sp.symbols("h y", real=True)
    U = sp.MatrixSymbol("U", 2, 2)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(2 * h), -sp.sin(2 * h)], [sp.sin(2 * h), sp.cos(2 * h)]])
    difference = U - sp.Identity(2)
    bound = sp.pi / 8
    return Derivation(
        name="orthogonality-by-chance",
        title="Distance to orthogonality of a random decoder with two latents",
        statement=(
            Claim(
                "If $2 h$ is uniform between $-\\pi/4$ and $\\pi/4$, the distance of a rotation by $2 h$ to "
                "the identity has mean $(16 \\sqrt2/\\pi)(1 - \\cos(\\pi/8))$, about $0.548$, and mean square "
                "$4 - 8 \\sqrt2/\\pi$.",
                by=(
                    "Squared distance of a rotation",
                    "Mean distance",
                    "Mean squared distance",
                ),
            ),
            Claim(
                "If the right singular vectors $V$ are uniform on $O(2)$, this is the distance to the "
                "nearest signed permutation.",
                argued=True,
            ),
        ),
        assumptions=(
            "$V$ is uniform; up to a signed permutation it is a rotation by an angle $2 h$ that is uniform between "
            "$-\\pi/4$ and $\\pi/4$, for which the identity is the nearest signed permutation.",
        ),
        scope="Two latents; for more there is no closed form here.",
        steps=(
            Step(
                "Squared distance of a rotation",
                sp.Eq(sp.Trace(difference.T * difference), (2 * sp.sqrt(2) * sp.sin(h)) ** 2, evaluate=False),
                "$4 - 4 \\cos(2 h)$, by the half angle.",
                let=(Let(U, rotation_matrix, "a rotation by $2 h$"),),
                sizes=({K: 2},),
            ),
            Step(
                "Mean distance",
                sp.Eq(
                    8 / sp.pi * sp.Integral(2 * sp.sqrt(2) * sp.sin(y), (y, 0, bound)),
                    16 * sp.sqrt(2) / sp.pi * (1 - sp.cos(bound)),
                    evaluate=False,
                ),
                "The density of $|h|$ is $8/\\pi$ on $(0, \\pi/8)$.",
            ),
            Step(
                "Mean squared distance",
                sp.Eq(
                    8 / sp.pi * sp.Integral((2 * sp.sqrt(2) * sp.sin(y)) ** 2, (y, 0, bound)),
                    4 - 8 * sp.sqrt(2) / sp.pi,
                    evaluate=False,
                ),
                "The variance is this minus the square of the mean; the standard deviation is about $0.313$.",
            ),
        ),
        results=("Mean distance", "Mean squared distance"),
        sources=(Source("rolinek2019", "the distance is defined there"),),
        builds_on=("rotation",),
    )
