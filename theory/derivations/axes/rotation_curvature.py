"""Page: the curvature of the rotation energy, which says how firmly the axes are fixed."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, P, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    p1, p2 = sp.symbols("p_1 p_2", positive=True)
    e, theta = sp.symbols("e theta", real=True)
    x = sp.Function("x")(theta)
    mixing = (p1 - p2) ** 2 * sp.sin(2 * theta) ** 2 / (4 * p1 * p2)
    of_two = beta * (p1 - p2) ** 2 / (p1 * p2)
    # A rotation of all modes, whose precisions are the diagonal of P; B and B_1 are partitions.
    X, Z, across, M, B, B1 = (sp.MatrixSymbol(name, K, K) for name in ("X", "Z", "Z_B", "M", "B", "B_1"))
    Y, back, P1 = (sp.MatrixSymbol(name, K, K) for name in ("Y", "Y_1", "P_1"))
    identity = sp.Identity(K)
    modes = sp.HadamardProduct(P, identity)
    # The plane of two modes.
    X2, Z2, P2 = (sp.MatrixSymbol(name, 2, 2) for name in ("X_2", "Z_2", "P_2"))

    def blocks(matrix, partition=B):
        return sp.HadamardProduct(matrix, partition)

    def at_zero(expression, order, variable=e):
        return sp.Subs(sp.Derivative(expression, (variable, order)), variable, 0)

    def size(matrix, scale=modes.I):  # the sum of the squares of its entries, in units of the scale
        return sp.Trace(scale * matrix * scale * matrix)

    kept, covariance = blocks(P1), blocks(Y * modes.I * back)
    again, dropped = sp.Function("f")(e), sp.Function("h")(e)
    curvature = beta * size(across) / 2
    two_modes = sp.ImmutableMatrix([[p1, 0], [0, p2]])
    plane = sp.ImmutableMatrix([[0, 1], [-1, 0]])
    again_of_two, dropped_of_two = (
        f"Curvature if the {end}" for end in ("encoder is optimised again", "off-diagonals are dropped")
    )
    return Derivation(
        name="rotation-curvature",
        title="Curvature of the rotation energy",
        statement=(
            Claim(
                "With $x = (p_i - p_j)^2 \\sin^2(2\\theta)/(4 p_i p_j)$ both $(\\beta/2) \\log(1 + x)$ and "
                "$(\\beta/2) [2 x - \\log(1 + x)]$ have at $\\theta = 0$ the curvature $\\beta (p_i - "
                "p_j)^2/(p_i p_j)$.",
                by=(again_of_two, dropped_of_two),
            ),
            Claim(
                "At the principal axes the precision is a diagonal matrix $P \\circ I$, and a rotation with the "
                "antisymmetric generator $X$, to second order $I + e X + e^2 X^2/2$, changes it by $e Z + e^2 (X Z - "
                "Z X)/2$ with $Z = X (P \\circ I) - (P \\circ I) X$.",
                by=("A rotation to second order", "The rotated precision"),
            ),
            Claim(
                "There the energy of the rotation is stationary, whether the encoder is optimised again or the "
                "off-diagonal blocks are dropped.",
                by=("Stationary", "Stationary after dropping"),
            ),
            Claim(
                "In both cases its curvature is $(\\beta/2) tr[(P \\circ I)^{-1} Z_B (P \\circ I)^{-1} Z_B]$, where "
                "$Z_B$ contains the entries of $Z$ outside the blocks of the posterior.",
                by=("Curvature of any rotation", "Curvature of any rotation after dropping"),
            ),
            Claim(
                "In the plane of two modes that the posterior separates, where $Z$ has entries in their two rows and "
                "columns only, this is $\\beta (p_i - p_j)^2/(p_i p_j)$ (zero if the two tie).",
                by=("The plane of two modes",),
            ),
            Claim(
                "It is zero in a plane inside one of its blocks: for a generator $X \\circ B$.",
                by=("Blocks of a product", "A rotation inside the blocks"),
            ),
            Claim(
                "There are no mixed derivatives between planes: for any partition $B_1$ of the modes, such as one pair "
                "and single modes, the curvature is that of the part $X \\circ B_1$ of the generator, whose $Z$ is $Z "
                "\\circ B_1$, plus that of the other part.",
                by=("Blocks of a product", "The parts of a rotation add up"),
            ),
        ),
        assumptions=("Modes of precisions $p_i$, the diagonal of $P$; the posterior mean is the best one.",),
        scope="For every $K$, every partition $B$ into the blocks of the posterior, and every rotation.",
        matrices={P: "positive", M: "symmetric", B: "partition", B1: "partition"},
        steps=(
            Step(
                "A rotation to second order",
                sp.Eq(Y * back, identity + e**4 * X**4 / 4, evaluate=False),
                "For an antisymmetric $X$ this $Y_1$ is the transpose of $Y$, and $Y$ is orthogonal up to $e^4$. A "
                "curvature depends on no higher powers of $e$ than the second.",
                let=(
                    Let(Y, identity + e * X + e**2 * X**2 / 2, "the rotation, to second order"),
                    Let(back, identity - e * X + e**2 * X**2 / 2, "the opposite rotation, to second order"),
                ),
                wrong_form=identity,
            ),
            Step(
                "The rotated precision",
                sp.Eq(
                    P1,
                    modes + e * Z + e**2 * (X * Z - Z * X) / 2 - e**3 * X * Z * X / 2 + e**4 * X**2 * modes * X**2 / 4,
                    evaluate=False,
                ),
                "Multiply out.",
                let=(
                    Let(P1, Y * modes * back, "the rotated precision"),
                    Let(Z, X * modes - modes * X, "the change of the precision to first order"),
                ),
            ),
            Step(
                "No rotation costs nothing",
                sp.Eq(again.func(0), 0, evaluate=False),
                "By the page on rotations the energy is the price of the covariance $(P_1 \\circ B)^{-1}$; the "
                "determinant of $P_1$ does not change.",
                let=(
                    Let(
                        again,
                        beta * (sp.Trace(P1 * kept.I) - K - LogDet(modes) + LogDet(kept)) / 2,
                        "the energy if the encoder is optimised again",
                    ),
                ),
                wrong_form=beta,
            ),
            Step(
                "Stationary",
                sp.Eq(at_zero(again, 1), 0, evaluate=False),
                "The first change of $P_1$ has no blocks in which both matrices have entries.",
                wrong_form=beta,
            ),
            Step(
                "Curvature of any rotation",
                sp.Eq(at_zero(again, 2), curvature, evaluate=False),
                "The square of the first change of $P_1$ counts, outside the blocks.",
                let=(Let(across, Z - blocks(Z), "the entries of $Z$ outside the blocks"),),
            ),
            Step(
                "No rotation costs nothing after dropping",
                sp.Eq(dropped.func(0), 0, evaluate=False),
                "This is the price of the covariance $P_1^{-1} \\circ B$; the inverse of $P_1$ is rotated as $P_1$ is.",
                let=(
                    Let(
                        dropped,
                        beta * (sp.Trace(P1 * covariance) - K - LogDet(modes) - LogDet(covariance)) / 2,
                        "the energy if the off-diagonal blocks are dropped",
                    ),
                ),
                wrong_form=beta,
            ),
            Step(
                "Stationary after dropping",
                sp.Eq(at_zero(dropped, 1), 0, evaluate=False),
                "As before.",
                wrong_form=beta,
            ),
            Step(
                "Curvature of any rotation after dropping",
                sp.Eq(at_zero(dropped, 2), curvature, evaluate=False),
                "The two energies differ only in higher powers of $e$.",
            ),
            Step(
                "The plane of two modes",
                sp.Eq(beta * size(Z2, P2.I) / 2, of_two, evaluate=False),
                "Other modes do not contribute, as their rows and columns of $Z$ are zero.",
                let=(
                    Let(X2, plane, "the generator of the plane"),
                    Let(P2, two_modes, "the precision of the two modes"),
                    Let(Z2, X2 * P2 - P2 * X2, "its change to first order"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "Blocks of a product",
                sp.Eq(blocks(X, B1) * modes, blocks(X * modes, B1), evaluate=False),
                "And likewise from the left: so $X \\circ B_1$ has $Z \\circ B_1$ in place of $Z$, for any partition "
                "$B_1$.",
            ),
            Step(
                "A rotation inside the blocks",
                sp.Eq(beta * size(blocks(X) * modes - modes * blocks(X) - blocks(Z)) / 2, 0, evaluate=False),
                "The curvature for the generator $X \\circ B$, which changes the precision by $Z \\circ B$: this less "
                "its blocks is zero.",
                wrong_form=beta,
            ),
            Step(
                "The parts of a rotation add up",
                sp.Eq(size(M), size(blocks(M, B1)) + size(M - blocks(M, B1)), evaluate=False),
                "For any symmetric $M$, such as $Z_B$: the trace is a sum of squares of entries, each of which belongs "
                "to one plane.",
            ),
            Step(
                again_of_two,
                sp.Eq(at_zero(beta * sp.log(1 + x) / 2, 2, theta), of_two, evaluate=False),
                "From the closed form of the energy of two modes.",
                let=(Let(x, mixing, "the mixing of the modes"),),
            ),
            Step(
                dropped_of_two,
                sp.Eq(at_zero(beta * (2 * x - sp.log(1 + x)) / 2, 2, theta), of_two, evaluate=False),
                "The two energies differ only from the fourth order in the angle on.",
            ),
        ),
        results=("Curvature of any rotation", again_of_two, dropped_of_two),
        sources=(Source("rolinek2019", "in the setting of its argument"),),
        builds_on=("rotation", "hadamard-gap"),
    )
