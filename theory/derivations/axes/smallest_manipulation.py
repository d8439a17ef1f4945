"""Page: the smallest change of a loading that rotates its principal axes."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K
from theory.derivations.engine.operators import PositiveRoots
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.matrix_inequalities import use_trace


def derivation() -> Derivation:
    # Any loading U X with orthonormal columns in U, and a changed one, U_1 Y.
    U, U1 = sp.MatrixSymbol("U", D, K), sp.MatrixSymbol("U_1", D, K)
    X, Y, H, O = (sp.MatrixSymbol(name, K, K) for name in "XYHO")  # noqa: E741
    # Two orthogonal columns.
    a1, a2, s1, s2, d, e = sp.symbols("a_1 a_2 s_1 s_2 d e", positive=True)
    m, c, k, p, q, z = sp.symbols("m c k p q z", positive=True)
    x = sp.Symbol("x", nonnegative=True)
    b, y, theta = sp.symbols("b y theta", real=True)
    axes, Z, F, turn, H1 = (sp.MatrixSymbol(name, 2, 2) for name in ("O_1", "Z", "F", "O_2", "H_1"))
    nu, omega = sp.symbols("nu omega", positive=True)
    f, w, h = (sp.Function(name)(m) for name in ("f", "w", "h"))
    cosine, sine = sp.cos(theta), sp.sin(theta)
    rotation_matrix = sp.ImmutableMatrix([[cosine, -sine], [sine, cosine]])
    quarter_turn = sp.ImmutableMatrix([[0, -1], [1, 0]])
    first = a1**2 * cosine**2 + a2**2 * sine**2
    last = a1**2 * sine**2 + a2**2 * cosine**2
    nuclear = s1**2 * first + s2**2 * last + 2 * a1 * a2 * s1 * s2
    by_gap = ((a1 + a2) ** 2 * m**2 + 2 * (a1**2 - a2**2) * sp.cos(2 * theta) * m * d + (a1 - a2) ** 2 * d**2) / 4
    best = (a1 + a2) ** 2 - (a1 - a2) ** 2 * d**2 / (a1 + a2) ** 2
    at_45 = (a1 + a2) ** 2 * m**2 + (a1 - a2) ** 2 * d**2
    smallest = (a1 - a2) ** 2 / 2 + 2 * d**2 * a1 * a2 / (a1 + a2) ** 2

    def squared_change(new):
        return sp.Trace((new - U * X).T * (new - U * X))

    def of_form(larger, smaller, other):
        """A quadratic form of the singular values, with the entries p, k and another."""
        return p * larger**2 + 2 * k * larger * smaller + other * smaller**2

    slope = 3 * z**2 / 4 + (b - (a1 + a2) ** 2) * z - b**2 + (a1 - a2) ** 2 * d**2
    bound = sp.Trace(X.T * X) + sp.Trace(Y.T * Y) - 2 * sp.Trace(H)
    tight = e**2 + k**2 / (p - e**2)
    rest = p + q - e**2
    means = "The geometric mean is below the arithmetic one"
    return Derivation(
        name="smallest-manipulation",
        title="The smallest change of a loading that rotates its principal axes",
        statement=(
            Claim(
                "Of all loadings $U_1 Y$ with orthonormal columns in $U_1$ the nearest to $U X$ has the squared change "
                "$tr(X^T X) + tr(Y^T Y) - 2 tr(H)$, where $X Y^T = O H$ with $O$ orthogonal and $H$ positive definite: "
                "none is nearer, and $U_1 = U O$ is as near.",
                by=("No loading is nearer", "The nearest loading"),
            ),
            Claim(
                "For two orthogonal columns of norms $a_1, a_2$, new axes $O_1$ at an angle $\\theta$ and new singular "
                "values $s_1, s_2$ it is $a_1^2 + a_2^2 + s_1^2 + s_2^2 - 2 \\nu$: then $X Y^T$ is $Z = O_2 H_1$ with "
                "$tr(H_1) = \\nu$.",
                by=(
                    "Nuclear norm",
                    "The two factors",
                    "The first factor is a rotation",
                    "The trace of the second factor",
                    "The determinant of the second factor",
                ),
            ),
            Claim(
                "To rotate the principal axes by 45 degrees, with a gap $d$ between the new singular values, requires "
                "a change of squared norm $(a_1 - a_2)^2/2 + 2 d^2 a_1 a_2/(a_1 + a_2)^2$ at least.",
                by=("Nuclear norm", "By sum and gap", "At 45 degrees", "No sum is better"),
            ),
            Claim(
                "It suffices, with the sum $m^2 = (a_1 + a_2)^2 - (a_1 - a_2)^2 d^2/(a_1 + a_2)^2$ of the new singular "
                "values, if this $m$ is more than $d$: if $2 d^2 (a_1^2 + a_2^2) < (a_1 + a_2)^4$, and in the limit "
                "at equality.",
                by=(
                    "What another sum costs",
                    "The best sum",
                    "The best sum and the gap",
                    "Smallest change at 45 degrees",
                ),
            ),
            Claim(
                "With the gap free, a change of norm $e$ reaches the angle $\\theta$ with $\\sin^2 2\\theta "
                "= 4 e^2 (a_1^2 + a_2^2 - e^2)/(a_1^2 - a_2^2)^2$.",
                by=(
                    "With the gap free",
                    "Largest angle for a budget",
                    "The change as a sum of squares",
                    "The budget suffices",
                ),
            ),
            Claim(
                "A larger angle, up to 45 degrees, requires a larger change.",
                by=(
                    "Largest angle for a budget",
                    "The first entry",
                    "The first entry is larger",
                    "A larger angle needs a larger change",
                ),
            ),
            Claim(
                "With a gap $d$ a change of norm $e$ suffices at the sum $m > d$ of the new singular values iff $2 "
                "(a_1^2 - a_2^2) d \\cos 2\\theta \\ge h(m)$, with $b = a_1^2 + a_2^2 + d^2/2 - e^2 > 0$ in $h$.",
                by=("By sum and gap", "A budget and a gap"),
            ),
            Claim(
                "For $b > (a_1 - a_2) d$ this $h$ is least at the only $m > 0$ where its slope vanishes, or at $m = d$ "
                "if that is less than $d$.",
                by=("Largest angle for a budget and a gap", "The slope vanishes once"),
            ),
        ),
        assumptions=(
            "$U X$ is the loading, with $X$ diagonal if its columns are orthogonal; any loading with the principal "
            "axes $O_1$ and singular values $s$ is $U_1 Y$ with $Y = diag(s) O_1^T$ and orthonormal columns in $U_1$.",
            "$a_1 > a_2$, the angle $\\theta$ from 0 to 45 degrees, and $e < (a_1 - a_2)/\\sqrt2$ if the gap is free, "
            "which is the norm that suffices for 45 degrees.",
        ),
        scope="Every loading of full column rank in the first two steps; then two factors.",
        matrices={U: "orthogonal", U1: "orthogonal", O: "orthogonal", X: "invertible", H: "positive"},
        where=(sp.Le(K, D),),
        steps=(
            Step(
                "No loading is nearer",
                sp.Ge(squared_change(U1 * Y), bound, evaluate=False),
                "The difference of the sides is $tr[(U_1 - U O) H (U_1 - U O)^T]$.",
                let=(
                    Let(
                        Y,
                        H * O.T * X.T.I,
                        "the new axes and singular values, for which $X Y^T = O H$",
                        rule=(Y * X.T, H * O.T),
                    ),
                ),
                uses=(use_trace(sp.Identity(D), U1 - U * O, H),),
            ),
            Step(
                "The nearest loading",
                sp.Eq(squared_change(U * O * Y), bound, evaluate=False),
                "At $U_1 = U O$ the trace vanishes.",
            ),
            Step(
                "Nuclear norm",
                sp.Eq(sp.Trace(Z.T * Z) + 2 * sp.Determinant(Z), nu**2, evaluate=False),
                "The square of the sum of the singular values of a $2 \\times 2$ matrix of positive determinant is "
                "its squared norm plus twice its determinant.",
                let=(
                    Let(axes, rotation_matrix, "the new axes"),
                    Let(
                        Z,
                        sp.ImmutableMatrix([[a1, 0], [0, a2]]) * axes * sp.ImmutableMatrix([[s1, 0], [0, s2]]),
                        "the matrix $X Y^T$",
                    ),
                    Let(nu, sp.sqrt(nuclear), "the sum of its singular values"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "The two factors",
                sp.Eq(turn * H1, Z, evaluate=False),
                "The polar decomposition, which takes the places of $O$ and $H$.",
                let=(
                    Let(turn, (Z + quarter_turn * Z * quarter_turn.T) / nu, "the first factor"),
                    Let(H1, (Z.T * Z + a1 * a2 * s1 * s2 * sp.Identity(2)) / nu, "the second factor"),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "The first factor is a rotation",
                sp.Eq(turn.T * turn, sp.Identity(2), evaluate=False),
                "The bracket has the form of a rotation, times $\\nu$: equal on the diagonal, opposite outside.",
                sizes=({K: 2},),
            ),
            Step(
                "The trace of the second factor",
                sp.Eq(sp.Trace(H1), nu, evaluate=False),
                "By the nuclear norm.",
                sizes=({K: 2},),
            ),
            Step(
                "The determinant of the second factor",
                sp.Eq(sp.Determinant(H1), a1 * a2 * s1 * s2, evaluate=False),
                "$H_1$ is symmetric, and trace and determinant are positive: it is positive definite.",
                sizes=({K: 2},),
            ),
            Step(
                "By sum and gap",
                sp.Eq(nuclear.subs({s1: (m + d) / 2, s2: (m - d) / 2}, simultaneous=True), by_gap, evaluate=False),
                "With $m = s_1 + s_2$ and $d = s_1 - s_2$.",
            ),
            Step(
                "At 45 degrees",
                sp.Eq(sp.Derivative(f, m), m - (a1 + a2) ** 2 * m / sp.sqrt(at_45), evaluate=False),
                "The cosine of $2\\theta$ is zero. The change is stationary iff $w(m) = (a_1 + a_2)^2$.",
                let=(
                    Let(w, sp.sqrt(at_45), "twice the sum of the singular values of $Z$ at 45 degrees"),
                    Let(f, a1**2 + a2**2 + (m**2 + d**2) / 2 - w, "the squared change"),
                ),
            ),
            Step(
                means,
                sp.Ge(y**2 / c + c - 2 * y, 0, evaluate=False),
                "For any number $y$ and $c > 0$: it is $(y - c)^2/c$.",
            ),
            Step(
                "No sum is better",
                sp.Ge(f, smallest, evaluate=False),
                "The last step, with $w(m)$ for $y$ and $(a_1 + a_2)^2$ for $c$.",
                uses=(Use(means, {y: w, c: (a1 + a2) ** 2}, times=sp.Rational(1, 2)),),
            ),
            Step(
                "What another sum costs",
                sp.Eq(f - smallest, (w - (a1 + a2) ** 2) ** 2 / (2 * (a1 + a2) ** 2), evaluate=False),
                "Nothing iff $w(m) = (a_1 + a_2)^2$.",
            ),
            Step(
                "The best sum",
                sp.Eq((a1 + a2) ** 2 * best + (a1 - a2) ** 2 * d**2, (a1 + a2) ** 4, evaluate=False),
                "With $m^2 = (a_1 + a_2)^2 - (a_1 - a_2)^2 d^2/(a_1 + a_2)^2$ the root is $(a_1 + a_2)^2$.",
            ),
            Step(
                "The best sum and the gap",
                sp.Eq((a1 + a2) ** 2 * (best - d**2), (a1 + a2) ** 4 - 2 * d**2 * (a1**2 + a2**2), evaluate=False),
                "$m^2 - d^2$, times a positive number: the smaller singular value is $(m - d)/2$.",
            ),
            Step(
                "Smallest change at 45 degrees",
                sp.Eq(a1**2 + a2**2 + (best + d**2) / 2 - (a1 + a2) ** 2, smallest, evaluate=False),
                "The closer the two norms, the smaller the change; a gap adds to it.",
            ),
            Step(
                "With the gap free",
                sp.Eq(sp.Determinant(F), (a1**2 - a2**2) ** 2 * sp.sin(2 * theta) ** 2 / 4, evaluate=False),
                "The squared nuclear norm is $s^T F s$; the trace of $F$ is $a_1^2 + a_2^2$.",
                let=(Let(F, sp.ImmutableMatrix([[first, a1 * a2], [a1 * a2, last]]), "the quadratic form in $s$"),),
                sizes=({K: 2},),
            ),
            Step(
                "Largest angle for a budget",
                sp.Eq(
                    sp.Determinant(F - e**2 * sp.Identity(2)),
                    (a1**2 - a2**2) ** 2 * sp.sin(2 * theta) ** 2 / 4 - e**2 * (a1**2 + a2**2 - e**2),
                    evaluate=False,
                ),
                "It is zero at the angle of the statement, and positive at a larger one up to 45 degrees.",
                sizes=({K: 2},),
            ),
            Step(
                "The change as a sum of squares",
                sp.Eq(
                    p + q + s1**2 + s2**2 - 2 * omega - e**2,
                    (omega - rest) ** 2 / rest
                    + ((p - e**2) * s2 - k * s1) ** 2 / ((p - e**2) * rest)
                    + ((p - e**2) * (q - e**2) - k**2) * s1**2 / ((p - e**2) * rest),
                    evaluate=False,
                ),
                "The squared change for any $s$, less $e^2$, with $p, k, q$ for the entries of $F$ and $p + q - e^2 = "
                "a_1^2 + a_2^2 - e^2$.",
                where=(p > e**2,),
                let=(Let(omega, sp.sqrt(of_form(s1, s2, q)), "the root of the form"),),
            ),
            Step(
                "The budget suffices",
                sp.Eq(of_form(p - e**2, k, tight), (p + tight - e**2) * ((p - e**2) ** 2 + k**2), evaluate=False),
                "If the determinant is zero, $q = e^2 + k^2/(p - e^2)$, its term vanishes. So does the term without "
                "$\\omega$ for singular values in the ratio of $p - e^2$ and $k$, for which $\\omega^2$ is $p + q - "
                "e^2$ times $s_1^2 + s_2^2$; and that with $\\omega$ if this sum is $p + q - e^2$.",
                where=(p > e**2,),
            ),
            Step(
                "The first entry",
                sp.Eq(first, (a1**2 + a2**2 + (a1**2 - a2**2) * sp.cos(2 * theta)) / 2, evaluate=False),
                "$F_{11}$, by the double angle.",
            ),
            Step(
                "The first entry is larger",
                sp.Gt((a1**2 + a2**2 + (a1**2 - a2**2) * x) / 2, e**2, evaluate=False),
                "Up to 45 degrees $x = \\cos 2\\theta$ is not negative.",
                where=(a1 > a2 + sp.sqrt(2) * e,),
            ),
            Step(
                "A larger angle needs a larger change",
                sp.Gt(p + q + s1**2 + s2**2 - 2 * omega, e**2, evaluate=False),
                "If the determinant is positive its term is, and no term is negative: the step on means, once "
                "with $\\omega$ and $p + q - e^2$, once with the two terms of the form.",
                where=(p > e**2, sp.Gt((p - e**2) * (q - e**2), k**2)),
                uses=(
                    Use(means, {y: omega, c: rest}),
                    Use(means, {y: k * s1 * s2, c: (p - e**2) * s2**2}, times=1 / rest),
                ),
            ),
            Step(
                "A budget and a gap",
                sp.Eq(
                    4 * by_gap - (b + m**2 / 2) ** 2,
                    m * (2 * (a1**2 - a2**2) * d * sp.cos(2 * theta) - h),
                    evaluate=False,
                ),
                "With $b = a_1^2 + a_2^2 + d^2/2 - e^2$ the squared change is at most $e^2$ iff $2 \\nu \\ge b + "
                "m^2/2$; both are positive, and on the left is the difference of their squares.",
                let=(
                    Let(
                        h,
                        ((b + m**2 / 2) ** 2 - (a1 + a2) ** 2 * m**2 - (a1 - a2) ** 2 * d**2) / m,
                        "the bound that the cosine must reach",
                    ),
                ),
            ),
            Step(
                "Largest angle for a budget and a gap",
                sp.Eq(sp.Derivative(h, m), slope.subs(z, m**2) / m**2, evaluate=False),
                "Its sign is that of a quadratic in $m^2$.",
            ),
            Step(
                "The slope vanishes once",
                sp.Eq(PositiveRoots(slope, z), 1, evaluate=False),
                "In $z = m^2$, by Descartes' rule: the first coefficient is positive and the last negative. So $h$ "
                "falls up to the root, and rises after it.",
                where=(sp.Gt(b - (a1 - a2) * d, 0), sp.Gt(b + (a1 - a2) * d, 0)),
            ),
        ),
        results=("Smallest change at 45 degrees", "With the gap free"),
        sources=(
            Source("zietlow2021", "in the setting of: a small change of the data that hides the factors from a VAE"),
        ),
        builds_on=("rotation", "matrix-inequalities"),
    )
