"""Page: disentanglement scores of a Gaussian code."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Step


def derivation() -> Derivation:
    a, b, t, k, c = sp.symbols("a b t k c", positive=True)
    y = sp.Symbol("y", positive=True)
    r = sp.Symbol("r", real=True)
    J = sp.MatrixSymbol("J", 2, 2)
    normal = sp.exp(-(y**2) / 2) / sp.sqrt(2 * sp.pi)
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
                "$(2 K/\\pi) \\int_0^\\infty (1 + y^2)^{-(K+1)/2} dy$.",
                by=(
                    "One over the length",
                    "Expectation without the size of the code",
                    "Expectation with the size of the code",
                ),
                argued=True,
            ),
            Claim(
                "This is $K \\Gamma(K/2)/(\\sqrt\\pi \\Gamma((K+1)/2))$.",
                by=("Chance level",),
            ),
            Claim(
                "It gives the chance level of the Hoyer sparsity.",
                argued=True,
            ),
        ),
        assumptions=("Factor and code jointly Gaussian, $-1 < r < 1$; for the sparsity independent $N(0, 1)$ codes.",),
        scope="Every $K > 0$, for which $k$ stands; the expectation over codes factorises over them.",
        steps=(
            Step(
                "Mutual information",
                sp.Eq((sp.log(a**2) + sp.log(b**2) - LogDet(J)) / 2, -sp.log(1 - r**2) / 2, evaluate=False),
                "The sum of the two entropies minus the joint entropy.",
                where=(r > -1, r < 1),
                let=(
                    Let(
                        J,
                        sp.ImmutableMatrix([[a**2, a * b * r], [a * b * r, b**2]]),
                        "the covariance, with standard deviations $a$, $b$",
                    ),
                ),
                sizes=({K: 2},),
            ),
            Step(
                "One over the length",
                sp.Eq(sp.Integral(2 * sp.exp(-(c**2) * y**2) / sp.sqrt(sp.pi), (y, 0, sp.oo)), 1 / c, evaluate=False),
                "For a length $c$; with $t = y^2$ its square is in the exponent, which factorises over the codes.",
            ),
            Step(
                "Expectation without the size of the code",
                sp.Eq(
                    2 * sp.Integral(sp.exp(-t * y**2) * normal, (y, 0, sp.oo)), 1 / sp.sqrt(1 + 2 * t), evaluate=False
                ),
                "The expectation of $e^{-t z^2}$; there are $K - 1$ such factors.",
            ),
            Step(
                "Expectation with the size of the code",
                sp.Eq(
                    2 * sp.Integral(y * sp.exp(-t * y**2) * normal, (y, 0, sp.oo)),
                    sp.sqrt(2 / sp.pi) / (1 + 2 * t),
                    evaluate=False,
                ),
                "The expectation of $|z| e^{-t z^2}$.",
            ),
            Step(
                "Chance level",
                sp.Eq(
                    2 * k / sp.pi * sp.Integral((1 + y**2) ** (-(k + 1) / 2), (y, 0, sp.oo)),
                    k * sp.gamma(k / 2) / (sp.sqrt(sp.pi) * sp.gamma((k + 1) / 2)),
                    evaluate=False,
                ),
                "The $K$ terms are equal; with $2 t = y^2$ the constants are $\\sqrt{2/\\pi} \\cdot \\sqrt{2/\\pi}$.",
            ),
        ),
        results=("Mutual information", "Chance level"),
        builds_on=("hadamard-gap",),
    )
