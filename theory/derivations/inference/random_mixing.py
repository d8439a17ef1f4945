"""Page: the errors under random mixing in high dimension."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, beta, t
from theory.derivations.engine.operators import PositiveRoots
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.inference_error import IDENTITY, RESOLVENT, R


def derivation() -> Derivation:
    a, c, x, z, s = sp.symbols("a c x z s", positive=True)
    m = sp.Function("m")(z)
    root = sp.sqrt((z + a - a * c) ** 2 + 4 * a * c * z)
    value, squared, information = sp.Function("m_2")(z), sp.Symbol("q", positive=True), sp.Function("H")(z)
    stieltjes = (root - z - a + a * c) / (2 * a * c * z)
    small = sp.Symbol("u", positive=True)
    shannon = sp.log(z + a * squared) + sp.log(1 + a * c * m) / c - a * squared * m
    return Derivation(
        name="random-mixing",
        title="Random mixing in high dimension",
        statement=(
            Claim(
                "For a loading of independent entries of variance $a\\tau^2/D$ with $K/D \\to c$ the eigenvalues of "
                "$G$ follow the Marchenko-Pastur law $\\mu$ and its diagonal entries tend to $a$: each error per "
                "factor tends to integrals over $\\mu$.",
                by=(
                    "Error per factor from two traces",
                    "inference-error: Forward divergence",
                    "inference-error: Reverse divergence",
                ),
                cites="marchenko1967",
            ),
            Claim(
                "Its transform $m(z) = \\int d\\mu(x)/(x + z)$ solves $a c z m^2 + (z + a - a c) m - 1 = 0$.",
                by=("The transform solves the quadratic",),
                cites="marchenko1967",
            ),
            Claim(
                "It is the positive root, of which there is one for each $z > 0$.",
                by=("One root is positive", "The transform solves the quadratic", "The transform is positive"),
            ),
            Claim(
                "For large $z$ the transform behaves as $1/z - a/z^2$, so that the law has total mass one and the mean "
                "$a$.",
                by=("It is the transform of a probability distribution", "Its mean"),
            ),
            Claim(
                "The radicand in $m$ is negative where $a (1 - \\sqrt c)^2 < -z < a (1 + \\sqrt c)^2$: between these "
                "edges lie the eigenvalues that are not zero.",
                by=("The edges of the spectrum",),
                cites="marchenko1967",
            ),
            Claim("For $c > 1$ the law has an atom of mass $1 - 1/c$ at zero.", by=("The atom at zero",)),
            Claim(
                "The mean squared error per factor is $e = \\int (\\beta^2 + x)/(x + \\beta)^2 d\\mu = m(\\beta) + "
                "(\\beta^2 - \\beta) m_2(\\beta)$ with $m_2 = -m'$.",
                by=(
                    "Error per factor from two traces",
                    "The integrand as two resolvents",
                    "The second transform",
                    "Mean squared error per factor",
                ),
            ),
            Claim(
                "With the reported variance $d = \\beta/(\\beta + a)$ the log score per factor is $-(\\log 2\\pi d + "
                "e/d)/2$.",
                by=("inference-error: Log score", "slope-at-one: The reported variance"),
            ),
            Claim(
                "The integral $H(z) = \\int \\log(x + z) d\\mu$ is $\\log(z + a q) + \\log(1 + a c m)/c - a q m$ with "
                "$q = 1/(1 + a c m)$; $H(1)$ is minus the log determinant of the true posterior covariance, per "
                "factor.",
                by=("The log integral: slope", "The log integral: large z"),
            ),
            Claim(
                "The forward divergence per factor is $[\\log d + e/d - 1 + H(1)]/2$.",
                by=("inference-error: Forward divergence", "The log integral: slope", "The log integral: large z"),
            ),
            Claim(
                "The reverse divergence per factor is $[(1 + a) d - 1 + (1 - \\beta)^2 (m - \\beta m_2) - \\log d - "
                "H(1)]/2$.",
                by=(
                    "inference-error: Reverse divergence",
                    "The integrand of the reverse divergence",
                    "The log integral: slope",
                    "The log integral: large z",
                ),
            ),
        ),
        assumptions=(
            "$\\tau^2 = 1$ as the unit; $W = A$, $\\sigma^2 = \\tau^2$, $\\Gamma = I$.",
            "Cited, not derived: the eigenvalues of $G = A^T A$ follow the law $\\mu$ whose transform $m$ solves the "
            "quadratic (Marchenko and Pastur 1967), and the diagonal entries of $G$ and of the error matrix tend to "
            "their means.",
        ),
        scope="Step 1 for every $K$; the other steps are identities of the limit, from the quadratic alone.",
        matrices={R: "positive"},
        steps=(
            Step(
                "Error per factor from two traces",
                sp.Eq(
                    sp.Trace(R + t * (t - 1) * R**2),
                    sp.Trace(R * (A.T * A + t**2 * IDENTITY) * R),
                    evaluate=False,
                ),
                "The error matrix of the best encoder, written as $(G + t^2 I)/(G + t I)^2$; divided by $K$ and with "
                "$t = \\beta$ it tends to $\\int (\\beta^2 + x)/(x + \\beta)^2 d\\mu(x)$.",
                let=(RESOLVENT,),
                wrong_form=sp.Trace(R * (A.T * A + t * IDENTITY) * R),
            ),
            Step(
                "The integrand as two resolvents",
                sp.Eq(
                    (beta**2 + x) / (x + beta) ** 2,
                    1 / (x + beta) + (beta**2 - beta) / (x + beta) ** 2,
                    evaluate=False,
                ),
                "So the mean squared error per factor is $m(\\beta) + (\\beta^2 - \\beta) m_2(\\beta)$ with $m_2 = "
                "\\int d\\mu/(x+z)^2$.",
            ),
            Step(
                "The transform solves the quadratic",
                sp.Eq(a * c * z * m**2 + (z + a - a * c) * m, 1, evaluate=False),
                "The transform of Marchenko and Pastur.",
                let=(Let(m, stieltjes, "the transform of $\\mu$"),),
                wrong_form=z,
            ),
            Step(
                "One root is positive",
                sp.Eq(PositiveRoots(a * c * z * s**2 + (z + a - a * c) * s - 1, s), 1, evaluate=False),
                "The coefficients change their sign once; $s$ stands for $m$.",
                wrong_form=sp.Integer(2),
            ),
            Step(
                "The transform is positive",
                sp.Gt(m, 0, evaluate=False),
                "The root is larger than the number that is subtracted from it.",
            ),
            Step(
                "It is the transform of a probability distribution",
                sp.Eq(sp.Limit(m / small, small, 0).subs(z, 1 / small), 1, evaluate=False),
                "For large $z = 1/u$ it behaves as $1/z$: the total mass is one.",
                wrong_form=a,
            ),
            Step(
                "Its mean",
                sp.Eq(sp.Limit((small - m) / small**2, small, 0).subs(z, 1 / small), a, evaluate=False),
                "The next term of $m = 1/z - a/z^2 + \\dots$ is minus the mean eigenvalue, which must be "
                "the mean $a$ of $tr(G)/K$.",
            ),
            Step(
                "The edges of the spectrum",
                sp.Eq(
                    (z + a - a * c) ** 2 + 4 * a * c * z,
                    (z + a * (1 + sp.sqrt(c)) ** 2) * (z + a * (1 - sp.sqrt(c)) ** 2),
                    evaluate=False,
                ),
                "The radicand, of which each factor changes its sign at one end of the spectrum.",
            ),
            Step(
                "The atom at zero",
                sp.Eq(sp.Limit(z * m, z, 0), 1 - 1 / c, evaluate=False),
                "The mass at $x = 0$ is the limit of $z m(z)$: with more factors than dimensions this share of the "
                "eigenvalues of $G$ is zero.",
                where=(c > 1,),
            ),
            Step(
                "The second transform",
                sp.Eq(
                    -sp.Derivative(m, z),
                    m * (1 + a * c * m) / (2 * a * c * z * m + z + a - a * c),
                    evaluate=False,
                ),
                "Since $m_2 = -m'$, differentiate the quadratic: $a c m^2 + m + (2 a c z m + z + a - a c) m' = 0$.",
            ),
            Step(
                "Mean squared error per factor",
                sp.Eq(
                    m.func(beta) - (beta**2 - beta) * sp.Subs(sp.Derivative(m, z), z, beta),
                    m.func(beta) + (beta**2 - beta) * value.func(beta),
                    evaluate=False,
                ),
                "The two transforms at $z = \\beta$.",
                let=(Let(value, m * (1 + a * c * m) / (2 * a * c * z * m + z + a - a * c), "the second transform"),),
            ),
            Step(
                "The integrand of the reverse divergence",
                sp.Eq(
                    (1 + x) * (beta**2 + x) / (x + beta) ** 2,
                    1 + (1 - beta) ** 2 * (1 / (x + beta) - beta / (x + beta) ** 2),
                    evaluate=False,
                ),
                "$\\Sigma^{-1} = G + I$ weighs the modes of the error: its part of the reverse divergence is $1 + (1 - "
                "\\beta)^2 (m - \\beta m_2)$.",
            ),
            Step(
                "The log integral: slope",
                sp.Eq(sp.Derivative(information, z), m, evaluate=False),
                "$\\int \\log(x + z) d\\mu$ has the derivative $m(z)$ in $z$, and so has this expression. With "
                "$\\Sigma = (G + I)^{-1}$ the log determinant of $\\Sigma^{-1}$ is the sum of $\\log(x + 1)$ over the "
                "eigenvalues $x$ of $G$.",
                let=(
                    Let(squared, 1 / (1 + a * c * m), "a number below 1"),
                    Let(information, shannon, "the logarithmic integral"),
                ),
            ),
            Step(
                "The log integral: large z",
                sp.Eq(sp.Limit((information.func(1 / small) + sp.log(small)), small, 0), 0, evaluate=False),
                "Less $\\log z$, with $z = 1/u$; the integral less $\\log z$ also tends to zero, so the two are equal.",
                wrong_form=a,
            ),
        ),
        results=("The transform solves the quadratic", "The second transform", "Mean squared error per factor"),
        sources=(
            Source("marchenko1967", "the limit law, cited and not derived"),
            Source("sikka2019", "in its setting; the errors are this project's"),
        ),
        builds_on=("inference-error", "slope-at-one"),
    )
