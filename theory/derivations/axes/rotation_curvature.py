"""Page: the curvature of the rotation energy, which says how firmly the axes are fixed."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import beta
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    theta = sp.Symbol("theta", real=True)
    h, r12, r13, r23 = sp.symbols("h r_12 r_13 r_23", real=True)
    m1, m2, x = (sp.Function(name)(theta) for name in ("M_1", "M_2", "x"))
    cos, sin = sp.cos(theta), sp.sin(theta)
    mixing = (p1 - p2) ** 2 * sp.sin(2 * theta) ** 2 / (4 * p1 * p2)
    determinant = 1 - h**2 * (r12**2 + r13**2 + r23**2) + 2 * h**3 * r12 * r13 * r23

    def at_zero(expression, variable, order):
        return sp.Subs(sp.Derivative(expression, (variable, order)), variable, 0)

    curvature = beta * (p1 - p2) ** 2 / (p1 * p2)
    return Derivation(
        name="rotation-curvature",
        title="Curvature of the rotation energy",
        statement=(
            Claim(
                "With $x = (p_i - p_j)^2 \\sin^2(2\\theta)/(4 p_i p_j)$ both $(\\beta/2) \\log(1 + x)$ and "
                "$(\\beta/2) [2 x - \\log(1 + x)]$ have at $\\theta = 0$ the curvature $\\beta (p_i - "
                "p_j)^2/(p_i p_j)$.",
                by=(
                    "Curvature if the encoder is optimised again",
                    "Curvature if the off-diagonals are dropped",
                ),
            ),
            Claim(
                "At the principal axes this is the curvature of the rotation energy in the plane of two "
                "modes that the posterior separates (zero if the two tie).",
                by=(
                    "Curvature if the encoder is optimised again",
                    "Curvature if the off-diagonals are dropped",
                ),
                argued=True,
            ),
            Claim(
                "It is zero in a plane inside one of its blocks.",
                by=(
                    "A small rotation creates correlations",
                    "A block drops its own correlations",
                ),
                argued=True,
            ),
            Claim(
                "There are no mixed derivatives between planes.",
                by=(
                    "A small rotation creates correlations",
                    "Small correlations add up",
                    "A block drops its own correlations",
                ),
                argued=True,
            ),
        ),
        assumptions=("Modes of precisions $p_i$; the posterior mean is the best one.",),
        scope=(
            "Correlations of three modes, which include every pair of planes that share a mode, for single latents and "
            "for the groups {1, 2} and {3}; each plane from the closed form of the energy of two modes."
        ),
        steps=(
            Step(
                "A small rotation creates correlations",
                sp.Eq(
                    at_zero((p1 - p2) * sin * cos / sp.sqrt(m1 * m2), theta, 1),
                    (p1 - p2) / sp.sqrt(p1 * p2),
                    evaluate=False,
                ),
                "The correlation in the rotated precision, to first order in the angle: zero if the modes tie.",
                let=(
                    Let(m1, p1 * cos**2 + p2 * sin**2, "the first diagonal entry of the rotated precision"),
                    Let(m2, p1 * sin**2 + p2 * cos**2, "the second diagonal entry"),
                ),
            ),
            Step(
                "Small correlations add up",
                sp.Eq(
                    at_zero(-sp.log(determinant), h, 2),
                    2 * (r12**2 + r13**2 + r23**2),
                    evaluate=False,
                ),
                "The Hadamard gap of three modes with correlations $h r_{12}, h r_{13}, h r_{23}$, to second order in "
                "$h$: a sum over pairs, without mixed terms.",
                wrong_form=2 * (r12 + r13 + r23) ** 2,
            ),
            Step(
                "A block drops its own correlations",
                sp.Eq(
                    at_zero(sp.log(1 - h**2 * r12**2) - sp.log(determinant), h, 2),
                    2 * (r13**2 + r23**2),
                    evaluate=False,
                ),
                "The same with modes 1 and 2 in one block, whose determinant is $1 - h^2 r_{12}^2$: only pairs across "
                "blocks remain.",
                wrong_form=2 * (r12**2 + r13**2 + r23**2),
            ),
            Step(
                "Curvature if the encoder is optimised again",
                sp.Eq(at_zero(beta * sp.log(1 + x) / 2, theta, 2), curvature, evaluate=False),
                "$\\beta/2$ times twice the squared correlation.",
                let=(Let(x, mixing, "the mixing of the modes"),),
            ),
            Step(
                "Curvature if the off-diagonals are dropped",
                sp.Eq(at_zero(beta * (2 * x - sp.log(1 + x)) / 2, theta, 2), curvature, evaluate=False),
                "The two energies differ only from the fourth order in the angle on.",
            ),
        ),
        results=("Curvature if the encoder is optimised again", "Curvature if the off-diagonals are dropped"),
        sources=(Source("rolinek2019", "in the setting of its argument"),),
        builds_on=("rotation", "hadamard-gap"),
    )
