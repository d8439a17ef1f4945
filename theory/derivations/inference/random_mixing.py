"""Page: the errors under random mixing in high dimension."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, beta, t
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.inference_error import IDENTITY, R


def derivation() -> Derivation:
    a, c, x, z, s = sp.symbols("a c x z s", positive=True)
    S = sp.Function("S")(z)
    root = sp.sqrt((z + a - a * c) ** 2 + 4 * a * c * z)
    value, squared, information = sp.Function("S_2")(z), sp.Symbol("q", positive=True), sp.Function("H")(z)
    stieltjes = (root - z - a + a * c) / (2 * a * c * z)
    small = sp.Symbol("u", positive=True)
    gram_inverse = (A.T * A + t * IDENTITY).I
    shannon = sp.log(z + a * squared) + sp.log(1 + a * c * S) / c - a * squared * S
    return Derivation(
        name="random-mixing",
        title="Random mixing in high dimension",
        statement=(
            Claim(
                "For a loading of independent entries of variance $a\\tau^2/D$ with $K/D \\to c$ every "
                "error per factor is an integral over the Marchenko-Pastur law $\\mu$.",
                by=(
                    "Error per factor from two traces",
                    "The integrand as two resolvents",
                    "The integrand of the reverse divergence",
                ),
                cites="marchenko1967",
                argued=True,
            ),
            Claim(
                "Every error per factor follows from the transform $S(z) = \\int d\\mu(x)/(x + z)$.",
                by=(
                    "The integrand as two resolvents",
                    "The second transform",
                    "Mean squared error per factor",
                    "The integrand of the reverse divergence",
                    "The entropy of the posterior: slope",
                    "The entropy of the posterior: constant",
                ),
                argued=True,
            ),
            Claim(
                "The transform solves $a c z S^2 + (z + a - a c) S - 1 = 0$.",
                by=("The transform solves the quadratic",),
                cites="marchenko1967",
            ),
            Claim(
                "It is the positive root.",
                by=("The transform solves the quadratic",),
                argued=True,
            ),
        ),
        assumptions=(
            "$\\tau^2 = 1$ as the unit; $W = A$, $\\sigma^2 = \\tau^2$, $\\Gamma = I$.",
            "Cited, not derived: the eigenvalues of $G = A^T A$ follow the law $\\mu$ whose transform $S$ solves the "
            "quadratic (Marchenko and Pastur 1967), and the diagonal entries of $G$ and of the error matrix tend to "
            "their means.",
        ),
        scope="Step 1 for every $K$; the other steps are identities of the limit, from the quadratic alone.",
        matrices={R: "symmetric"},
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
                let=(Let(R, gram_inverse, "the resolvent", rule=(A.T * A * R, IDENTITY - t * R)),),
                wrong_form=sp.Trace(R * (A.T * A + t * IDENTITY) * R),
            ),
            Step(
                "The integrand as two resolvents",
                sp.Eq(
                    (beta**2 + x) / (x + beta) ** 2,
                    1 / (x + beta) + (beta**2 - beta) / (x + beta) ** 2,
                    evaluate=False,
                ),
                "So the mean squared error per factor is $S(\\beta) + (\\beta^2 - \\beta) S_2(\\beta)$ with $S_2 = "
                "\\int d\\mu/(x+z)^2$.",
            ),
            Step(
                "The transform solves the quadratic",
                sp.Eq(a * c * z * S**2 + (z + a - a * c) * S, 1, evaluate=False),
                "This is the positive root; the product of the roots is negative, so there is only one.",
                let=(Let(S, stieltjes, "the transform of $\\mu$"),),
                wrong_form=z,
            ),
            Step(
                "It is the transform of a probability distribution",
                sp.Eq(sp.Limit(S / small, small, 0).subs(z, 1 / small), 1, evaluate=False),
                "For large $z = 1/u$ it behaves as $1/z$: the total mass is one.",
                wrong_form=a,
            ),
            Step(
                "Its mean",
                sp.Eq(sp.Limit((small - S) / small**2, small, 0).subs(z, 1 / small), a, evaluate=False),
                "The next term of $S = 1/z - a/z^2 + \\dots$ is minus the mean eigenvalue, which must be "
                "$\\mathrm{E}[tr(G)]/K = a$.",
            ),
            Step(
                "The edges of the spectrum",
                sp.Eq(
                    (z + a - a * c) ** 2 + 4 * a * c * z,
                    (z + a * (1 + sp.sqrt(c)) ** 2) * (z + a * (1 - sp.sqrt(c)) ** 2),
                    evaluate=False,
                ),
                "The radicand: eigenvalues fill the interval from $a (1 - \\sqrt c)^2$ to $a (1 + \\sqrt c)^2$, and "
                "for $c > 1$ there is also an atom at zero.",
            ),
            Step(
                "The second transform",
                sp.Eq(
                    -sp.Derivative(S, z),
                    S * (1 + a * c * S) / (2 * a * c * z * S + z + a - a * c),
                    evaluate=False,
                ),
                "Since $S_2 = -S'$, differentiate the quadratic: $a c S^2 + S + (2 a c z S + z + a - a c) S' = 0$.",
            ),
            Step(
                "Mean squared error per factor",
                sp.Eq(
                    S.func(beta) - (beta**2 - beta) * sp.Subs(sp.Derivative(S, z), z, beta),
                    S.func(beta) + (beta**2 - beta) * value.func(beta),
                    evaluate=False,
                ),
                "The two transforms at $z = \\beta$; with $d = \\beta/(\\beta + a)$ the log score per factor is "
                "$-(\\log 2\\pi d + e/d)/2$.",
                let=(Let(value, S * (1 + a * c * S) / (2 * a * c * z * S + z + a - a * c), "the second transform"),),
            ),
            Step(
                "The integrand of the reverse divergence",
                sp.Eq(
                    (1 + x) * (beta**2 + x) / (x + beta) ** 2,
                    1 + (1 - beta) ** 2 * (1 / (x + beta) - beta / (x + beta) ** 2),
                    evaluate=False,
                ),
                "$\\Sigma^{-1} = G + I$ weighs the modes of the error: its part of the reverse divergence is "
                "$1 + (1 - \\beta)^2 (S - \\beta S_2)$.",
            ),
            Step(
                "The entropy of the posterior: slope",
                sp.Eq(sp.Derivative(information, z), S, evaluate=False),
                "$\\int \\log(x + z) d\\mu$ has the derivative $S(z)$ in $z$, and so has this expression, with $q = "
                "1/(1 + a c S)$.",
                let=(
                    Let(squared, 1 / (1 + a * c * S), "the weight of the noise"),
                    Let(information, shannon, "the logarithmic integral"),
                ),
            ),
            Step(
                "The entropy of the posterior: constant",
                sp.Eq(
                    sp.Subs(
                        sp.log(1 + a * small) + sp.log(1 + a * c * s) / c - a * s / (1 + a * c * s), (small, s), (0, 0)
                    ),
                    0,
                    evaluate=False,
                ),
                "Minus $\\log z$, the expression is this with $u = q/z$ and $s = S(z)$, which both go to zero for "
                "large $z$; so does the integral minus $\\log z$. Hence the two are equal. At $z = 1$ it is $\\int "
                "\\log(1 + x) d\\mu$.",
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
