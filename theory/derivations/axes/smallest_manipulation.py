"""Page: the smallest change of a loading that rotates its principal axes."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    a1, a2, s1, s2, g, e = sp.symbols("a_1 a_2 s_1 s_2 g e", positive=True)
    m = sp.Symbol("m", positive=True)
    theta = sp.Symbol("theta", real=True)
    R, M, F = sp.MatrixSymbol("R", 2, 2), sp.MatrixSymbol("M", 2, 2), sp.MatrixSymbol("F", 2, 2)
    B = sp.Symbol("B", real=True)
    f, J = sp.Function("f")(m), sp.Function("J")(m)
    cosine, sine = sp.cos(theta), sp.sin(theta)
    rotation_matrix = sp.ImmutableMatrix([[cosine, -sine], [sine, cosine]])
    p = a1**2 * cosine**2 + a2**2 * sine**2
    r = a1**2 * sine**2 + a2**2 * cosine**2
    nuclear = s1**2 * p + s2**2 * r + 2 * a1 * a2 * s1 * s2
    by_gap = ((a1 + a2) ** 2 * m**2 + 2 * (a1**2 - a2**2) * sp.cos(2 * theta) * m * g + (a1 - a2) ** 2 * g**2) / 4
    best = (a1 + a2) ** 2 - (a1 - a2) ** 2 * g**2 / (a1 + a2) ** 2
    return Derivation(
        name="smallest-manipulation",
        title="The smallest change of a loading that rotates its principal axes",
        statement=(
            Claim(
                "To rotate the principal axes of two orthogonal columns of norms $a_1 > a_2$ by 45 "
                "degrees, with a gap $g$ between the new singular values, requires a change of squared "
                "norm $(a_1 - a_2)^2/2 + 2 g^2 a_1 a_2/(a_1 + a_2)^2$.",
                by=(
                    "Nuclear norm",
                    "By sum and gap",
                    "At 45 degrees",
                    "The best sum",
                    "Smallest change at 45 degrees",
                ),
                argued=True,
            ),
            Claim(
                "With the gap free, a change of norm $e$ reaches the angle $\\theta$ with $\\sin^2 2\\theta "
                "= 4 e^2 (a_1^2 + a_2^2 - e^2)/(a_1^2 - a_2^2)^2$.",
                by=(
                    "With the gap free",
                    "Largest angle for a budget",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "For given new axes $R$ and singular values $s$ the nearest loading is an orthogonal Procrustes problem: "
            "the squared change is $a_1^2 + a_2^2 + s_1^2 + s_2^2$ minus twice the nuclear norm (sum of the singular "
            "values) of $M = A R S$, with $A$ and $S$ the diagonal matrices of $a$ and $s$.",
            "$2 g^2 (a_1^2 + a_2^2) \\le (a_1 + a_2)^4$ at 45 degrees; $\\theta$ at most 45 degrees if "
            "the gap is free.",
        ),
        scope="Two factors; the Procrustes problem, and that the largest eigenvalue is the maximum, are cited.",
        steps=(
            Step(
                "Nuclear norm",
                sp.Eq(sp.Trace(M.T * M) + 2 * sp.Determinant(M), nuclear, evaluate=False),
                "The square of the sum of the singular values of a $2 \\times 2$ matrix of positive determinant is "
                "its squared norm plus twice its determinant.",
                let=(
                    Let(R, rotation_matrix, "the new axes"),
                    Let(
                        M,
                        sp.ImmutableMatrix([[a1, 0], [0, a2]]) * R * sp.ImmutableMatrix([[s1, 0], [0, s2]]),
                        "the matrix of the nuclear norm",
                    ),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "By sum and gap",
                sp.Eq(nuclear.subs({s1: (m + g) / 2, s2: (m - g) / 2}, simultaneous=True), by_gap, evaluate=False),
                "With $m = s_1 + s_2$ and $g = s_1 - s_2$.",
            ),
            Step(
                "At 45 degrees",
                sp.Eq(
                    sp.Derivative(f, m),
                    m - (a1 + a2) ** 2 * m / sp.sqrt((a1 + a2) ** 2 * m**2 + (a1 - a2) ** 2 * g**2),
                    evaluate=False,
                ),
                "The cosine of $2\\theta$ is zero. The change is stationary iff the root is $(a_1 + a_2)^2$.",
                let=(
                    Let(
                        f,
                        a1**2 + a2**2 + (m**2 + g**2) / 2 - sp.sqrt((a1 + a2) ** 2 * m**2 + (a1 - a2) ** 2 * g**2),
                        "the squared change at 45 degrees",
                    ),
                ),
            ),
            Step(
                "The best sum",
                sp.Eq((a1 + a2) ** 2 * best + (a1 - a2) ** 2 * g**2, (a1 + a2) ** 4, evaluate=False),
                "So $m^2 = (a_1 + a_2)^2 - (a_1 - a_2)^2 g^2/(a_1 + a_2)^2$, which is at least $g^2$ within the "
                "bound on the gap.",
            ),
            Step(
                "Smallest change at 45 degrees",
                sp.Eq(
                    a1**2 + a2**2 + (best + g**2) / 2 - (a1 + a2) ** 2,
                    (a1 - a2) ** 2 / 2 + 2 * g**2 * a1 * a2 / (a1 + a2) ** 2,
                    evaluate=False,
                ),
                "The closer the two norms, the smaller the change; a gap adds to it.",
            ),
            Step(
                "With the gap free",
                sp.Eq(sp.Determinant(F), (a1**2 - a2**2) ** 2 * sp.sin(2 * theta) ** 2 / 4, evaluate=False),
                "For a fixed direction of $s$ the squared change at the best length is $a_1^2 + a_2^2$ minus the "
                "quadratic form, so the least squared change is $a_1^2 + a_2^2 - \\lambda$ with the largest eigenvalue "
                "$\\lambda$ of the form: the smaller eigenvalue, as the trace is $a_1^2 + a_2^2$.",
                let=(Let(F, sp.ImmutableMatrix([[p, a1 * a2], [a1 * a2, r]]), "the quadratic form in $s$"),),
                sizes=({K: 2},),
            ),
            Step(
                "Largest angle for a budget",
                sp.Eq(
                    sp.Determinant(F - e**2 * sp.Identity(2)),
                    (a1**2 - a2**2) ** 2 * sp.sin(2 * theta) ** 2 / 4 - e**2 * (a1**2 + a2**2 - e**2),
                    evaluate=False,
                ),
                "$e^2$ is an eigenvalue iff this is zero, which gives $\\sin 2\\theta$.",
                sizes=({K: 2},),
            ),
            Step(
                "Largest angle for a budget and a gap",
                sp.Eq(
                    sp.Derivative(J, m),
                    (3 * m**4 / 4 + (B - (a1 + a2) ** 2) * m**2 - B**2 + (a1 - a2) ** 2 * g**2) / m**2,
                    evaluate=False,
                ),
                "With $B = a_1^2 + a_2^2 + g^2/2 - e^2$ the budget suffices at the sum $m$ iff $2 (a_1^2 - "
                "a_2^2) g \\cos 2\\theta \\ge J(m)$; the smallest $J$ is where a quadratic in $m^2$ vanishes, or at "
                "$m = g$.",
                let=(
                    Let(
                        J,
                        ((B + m**2 / 2) ** 2 - (a1 + a2) ** 2 * m**2 - (a1 - a2) ** 2 * g**2) / m,
                        "the bound that the cosine must reach",
                    ),
                ),
            ),
        ),
        results=("Smallest change at 45 degrees", "With the gap free"),
        sources=(
            Source("zietlow2021", "in the setting of: a small change of the data that hides the factors from a VAE"),
        ),
        builds_on=("rotation",),
    )
