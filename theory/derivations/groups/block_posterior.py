"""Page: which rotations of the latents cost nothing under a block-diagonal posterior."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    p, q = sp.symbols("c_1 c_2", positive=True)
    a = sp.Symbol("a", real=True)
    rotation_matrix = sp.ImmutableMatrix([[sp.cos(a), -sp.sin(a)], [sp.sin(a), sp.cos(a)]])
    rotated = rotation_matrix * sp.ImmutableMatrix([[p, 0], [0, q]]) * rotation_matrix.T
    energy = sp.Function("E")(a)
    product = rotated[0, 0] * rotated[1, 1]
    mixed = (p - q) ** 2 * sp.sin(a) ** 2 * sp.cos(a) ** 2
    blocks, index = sp.symbols("m i", integer=True, positive=True)
    size = sp.Symbol("b", positive=True)
    return Derivation(
        name="block-posterior",
        title="A block-diagonal posterior: which rotations are free, and the cost of the others",
        statement=(
            Claim(
                "A rotation of two latents of posterior precisions $c_1$, $c_2$ by an angle $a$ costs "
                "nothing if they are in one block of the posterior.",
                by=("In one block",),
                argued=True,
            ),
            Claim(
                "Across blocks it costs $(\\beta/2)\\log(1 + (c_1-c_2)^2 \\sin^2 a \\cos^2 a/(c_1 c_2))$.",
                by=(
                    "In one block",
                    "Across blocks",
                ),
                argued=True,
            ),
            Claim(
                "The curvature of this cost at $a = 0$ is $\\beta (c_1-c_2)^2/(c_1 c_2)$.",
                by=("Stiffness",),
            ),
            Claim(
                "With blocks of equal size $b$ there are $K (b - 1)/2$ planes of two latents in one block.",
                by=("Free planes of equal blocks",),
            ),
            Claim(
                "With distinct precisions these planes are free and no others.",
                by=(
                    "In one block",
                    "Stiffness",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "Prior $N(0, I)$; before the rotation the precision of the best posterior is diagonal, as at the optimum.",
            "The posterior is optimised again within its blocks; the other latents stay as they are.",
        ),
        scope=(
            "For any two latents and any angle; the precision keeps its other entries and its determinant. The count "
            "for every number and size of blocks."
        ),
        steps=(
            Step(
                "In one block",
                sp.Eq(LogDet(rotated), sp.log(p * q), evaluate=False),
                "The Hadamard gap compares the log determinant of the whole block with itself, and a rotation does not "
                "change it.",
            ),
            Step(
                "Across blocks",
                sp.Eq(product, p * q + mixed, evaluate=False),
                "Only the diagonal is in the posterior, and its product exceeds the determinant by this square: the "
                "gap is $\\log(1 + (c_1-c_2)^2 \\sin^2 a \\cos^2 a/(c_1 c_2))$.",
            ),
            Step(
                "Stationary at the optimum",
                sp.Eq(sp.Subs(sp.Derivative(energy, a), a, 0), 0, evaluate=False),
                "The axes of the modes are stationary.",
                let=(Let(energy, beta * sp.log(1 + mixed / (p * q)) / 2, "the cost of the rotation"),),
                wrong_form=beta * (p - q) ** 2 / (p * q),
            ),
            Step(
                "Stiffness",
                sp.Eq(
                    sp.Subs(sp.Derivative(energy, (a, 2)), a, 0),
                    beta * (p - q) ** 2 / (p * q),
                    evaluate=False,
                ),
                "Zero only for latents of equal precision: the axes are fixed up to rotations within a block and among "
                "ties, to which all collapsed latents belong.",
            ),
            Step(
                "Free planes of equal blocks",
                sp.Eq(
                    sp.Sum(size * (size - 1) / 2, (index, 1, blocks)), blocks * size * (size - 1) / 2, evaluate=False
                ),
                "Each of the $m$ blocks has a plane for each pair of its $b$ latents, and $K = m b$. Between blocks a "
                "plane is free only for a tie.",
                wrong_form=blocks * size * (size + 1) / 2,
            ),
        ),
        results=("Stiffness", "Free planes of equal blocks"),
        sources=(
            Source("chen2022", "groups of latents are its subject; this interpretation of them is this project's"),
            Source("chen2025", "the term granularity is from there"),
        ),
        builds_on=("hadamard-gap", "posterior-families"),
    )
