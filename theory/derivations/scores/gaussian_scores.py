"""Page: disentanglement scores of a Gaussian code."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Step


def derivation() -> Derivation:
    a, b, c, s = sp.symbols("a b c s", positive=True)
    x, y = sp.symbols("x y", positive=True)
    r = sp.Symbol("r", real=True)
    F = sp.MatrixSymbol("F", 2, 2)
    normal = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    of_one, of_size = 1 / sp.sqrt(1 + 2 * s), sp.sqrt(2 / sp.pi) / (1 + 2 * s)
    of_all = sp.sqrt(2 / sp.pi) * (1 + 2 * s) ** (-(K + 1) / 2)
    ratio = K * sp.gamma(K / 2) / (sp.sqrt(sp.pi) * sp.gamma((K + 1) / 2))

    def over_positive(function, variable=y):
        return sp.Integral(function, (variable, 0, sp.oo))

    tail = over_positive((1 + y**2) ** (-(K + 1) / 2))

    def sparsity(value):
        return (sp.sqrt(K) - value) / (sp.sqrt(K) - 1)

    return Derivation(
        name="gaussian-scores",
        title="Scores of a Gaussian code: information and sparsity",
        statement=(
            Claim(
                "A factor and a code of correlation $r$ share $-(1/2) \\log(1 - r^2)$ nats.",
                by=("Mutual information",),
            ),
            Claim(
                "For $K$ independent Gaussian codes the ratio of the sum of sizes to the length has mean "
                "$(2 K/\\pi) \\int_0^\\infty (1 + y^2)^{-(K+1)/2} dy$: one over the length $||z||$ is an integral over "
                "$y$ of $e^{-||z||^2 y^2}$, a product over the codes, whose mean is the product of the means.",
                by=(
                    "One over the length",
                    "Expectation without the size of the code",
                    "Expectation with the size of the code",
                    "All codes together",
                    "One size over the length",
                ),
            ),
            Claim(
                "This is $K \\Gamma(K/2)/(\\sqrt\\pi \\Gamma((K+1)/2))$.",
                by=("Chance level",),
            ),
            Claim(
                "So the Hoyer sparsity of $K > 1$ codes, $\\sqrt K$ less this ratio, over $\\sqrt K - 1$, has the "
                "chance level $[\\sqrt K - K \\Gamma(K/2)/(\\sqrt\\pi \\Gamma((K+1)/2))]/(\\sqrt K - 1)$.",
                by=("Chance level of the sparsity",),
            ),
        ),
        assumptions=("Factor and code jointly Gaussian, $-1 < r < 1$; for the sparsity independent $N(0, 1)$ codes.",),
        scope="Every $K$; the means over single codes are integrals over their density.",
        steps=(
            Step(
                "Mutual information",
                sp.Eq((sp.log(a**2) + sp.log(b**2) - LogDet(F)) / 2, -sp.log(1 - r**2) / 2, evaluate=False),
                "The sum of the two entropies minus the joint entropy.",
                where=(r > -1, r < 1),
                let=(
                    Let(
                        F,
                        sp.ImmutableMatrix([[a**2, a * b * r], [a * b * r, b**2]]),
                        "the covariance of factor and code, with standard deviations $a$, $b$",
                    ),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "One over the length",
                sp.Eq(over_positive(2 * sp.exp(-(c**2) * y**2) / sp.sqrt(sp.pi)), 1 / c, evaluate=False),
                "For a length $c$; with $s = y^2$ its square is in the exponent, which is a sum over the codes.",
            ),
            Step(
                "Expectation without the size of the code",
                sp.Eq(2 * over_positive(sp.exp(-s * x**2) * normal, x), of_one, evaluate=False),
                "The expectation of $e^{-s z^2}$ of one code $z$ of size $x = |z|$, for any $s > 0$.",
            ),
            Step(
                "Expectation with the size of the code",
                sp.Eq(2 * over_positive(x * sp.exp(-s * x**2) * normal, x), of_size, evaluate=False),
                "The expectation of $|z| e^{-s z^2}$.",
            ),
            Step(
                "All codes together",
                sp.Eq(of_size * of_one ** (K - 1), of_all, evaluate=False),
                "The expectation of $|z_i| e^{-s ||z||^2}$: one factor with the size, $K - 1$ without.",
            ),
            Step(
                "One size over the length",
                sp.Eq(
                    2 / sp.sqrt(sp.pi) * over_positive(of_all.subs(s, y**2)),
                    2 / sp.pi * tail,
                    evaluate=False,
                ),
                "The mean of $|z_i|/||z||$, of which there are $K$: the last step at $s = y^2$, integrated; then "
                "$\\sqrt2 y$ takes the place of $y$.",
            ),
            Step(
                "Chance level",
                sp.Eq(2 * K / sp.pi * tail, ratio, evaluate=False),
                "The integral is a beta function.",
            ),
            Step(
                "Chance level of the sparsity",
                sp.Eq(sparsity(2 * K / sp.pi * tail), sparsity(ratio), evaluate=False),
                "The sparsity is linear in the ratio: 0 for codes of equal size, with the ratio $\\sqrt K$, and 1 for "
                "a single code other than zero, with the ratio 1.",
                where=(K > 1,),
            ),
        ),
        results=("Mutual information", "Chance level", "Chance level of the sparsity"),
        builds_on=("hadamard-gap",),
    )
