"""Page: a wrong noise variance of the decoder, and correlated factors."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, K, W, beta, sigma, t, tau
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.inference_error import GRAM, IDENTITY, RESOLVENT, G, R


def derivation() -> Derivation:
    scaled = sp.Symbol("b", positive=True)
    g, gamma = sp.symbols("g gamma", positive=True)
    Gamma = sp.MatrixSymbol("Gamma", K, K)
    mode, error = sp.Function("e")(t), sp.Function("m")(beta)
    miss = R * A.T * A - IDENTITY
    return Derivation(
        name="noise-mismatch",
        title="A wrong noise variance of the decoder, and correlated factors",
        statement=(
            Claim(
                "The best encoder depends on $\\beta$ and $\\sigma^2$ only through $t = \\beta\\sigma^2$.",
                by=("The precision at another noise and weight",),
                argued=True,
            ),
            Claim(
                "So every optimum scales: $\\beta^*(\\sigma^2) = (\\tau^2/\\sigma^2) \\beta^*(\\tau^2)$.",
                by=("The precision at another noise and weight",),
                argued=True,
            ),
            Claim(
                "For correlated factors the mean squared error is stationary where $\\sum_k g_k (t "
                "\\gamma_k - \\tau^2)/(g_k + t)^3 = 0$.",
                by=(
                    "Error with correlated factors",
                    "One mode",
                ),
                argued=True,
            ),
        ),
        assumptions=(
            "Any decoder, family and criterion for the scaling law.",
            "For the second part $W = A$, and $\\gamma_k = v_k^T \\Gamma v_k$ along the eigenvectors $v_k$ of $G$ with "
            "eigenvalues $g_k > 0$; modes with $g_k = 0$ do not depend on $t$.",
        ),
        scope="For every $K$ and $D$; the modes are taken one at a time.",
        matrices={Gamma: "positive"} | dict.fromkeys((G, R), "symmetric"),
        steps=(
            Step(
                "The precision at another noise and weight",
                sp.Eq(
                    (sp.Identity(K) + W.T * W / (scaled * sigma**2)) - (sp.Identity(K) + W.T * W / (beta * tau**2)),
                    (beta * tau**2 - scaled * sigma**2) / (scaled * sigma**2 * beta * tau**2) * W.T * W,
                    evaluate=False,
                ),
                "The posterior at noise $\\sigma^2$ and weight $b$ is that at noise $\\tau^2$ and weight $\\beta$ if "
                "$b \\sigma^2 = \\beta \\tau^2$; mean and variances follow from the precision, so the errors are the "
                "same function of $t$, and their minimiser scales as stated.",
                wrong_form=(beta * tau**2 + scaled * sigma**2) / (scaled * sigma**2 * beta * tau**2) * W.T * W,
            ),
            Step(
                "Mean squared error with the wrong noise",
                sp.Eq(
                    sp.Derivative(error, beta),
                    2 * g * sigma**2 * (beta * sigma**2 - tau**2) / (g + beta * sigma**2) ** 3,
                    evaluate=False,
                ),
                "Mode by mode the sign changes at $\\beta = \\tau^2/\\sigma^2$, for every loading.",
                let=(
                    Let(
                        error,
                        (beta**2 * sigma**4 + tau**2 * g) / (g + beta * sigma**2) ** 2,
                        "one mode of the error matrix at $t = \\beta\\sigma^2$",
                    ),
                ),
            ),
            Step(
                "Error with correlated factors",
                sp.Eq(
                    sp.Trace(miss * Gamma * miss.T) + tau**2 * sp.Trace(R * A.T * A * R),
                    t**2 * sp.Trace(Gamma * R * R) + tau**2 * sp.Trace(G * R * R),
                    evaluate=False,
                ),
                "The error matrix of the encoder for the prior $N(0, I)$, which is wrong here; only its trace is "
                "needed.",
                let=(GRAM, RESOLVENT),
                wrong_form=t**2 * sp.Trace(Gamma * R * R) - tau**2 * sp.Trace(G * R * R),
            ),
            Step(
                "One mode",
                sp.Eq(sp.Derivative(mode, t), 2 * g * (t * gamma - tau**2) / (g + t) ** 3, evaluate=False),
                "On an eigenvector of $G$ the resolvent is $1/(g + t)$ and $\\Gamma$ enters through $\\gamma$; a mode "
                "falls up to $t = \\tau^2/\\gamma_k$ and rises from there on, so the best $t$ lies between "
                "$\\tau^2/\\max\\gamma_k$ and $\\tau^2/\\min\\gamma_k$.",
                let=(Let(mode, (t**2 * gamma + tau**2 * g) / (g + t) ** 2, "one term of the trace"),),
            ),
        ),
        results=("The precision at another noise and weight", "One mode"),
        sources=(Source("sikka2019", "in its setting"),),
        builds_on=("inference-error", "posterior-families", "slope-at-one"),
    )
