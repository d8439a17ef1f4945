"""Page: a wrong noise variance of the decoder, and correlated factors."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, P, Q, S, W, beta, sigma, t, tau
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import distortion, loss
from theory.derivations.inference.inference_error import IDENTITY, RESOLVENT, R, error_matrix


def derivation() -> Derivation:
    scaled, e = sp.Symbol("b", positive=True), sp.Symbol("epsilon", real=True)
    squares, true_loss, other_loss = sp.symbols("d L L_o", real=True)
    true_precision, other_precision = P, sp.MatrixSymbol("P_o", K, K)
    g, gamma = sp.symbols("g gamma", positive=True)
    Gamma = sp.MatrixSymbol("Gamma", K, K)
    mode, error = sp.Function("e")(t), sp.Function("m")(beta)
    at_level = (R.I + e * IDENTITY).I

    def without_constant(weight, deviation):
        constant = D * sp.log(2 * sp.pi * deviation**2) / 2
        return loss().xreplace({beta: weight, sigma: deviation}) - constant

    def squared_error(level, resolvent):
        return level**2 * sp.Trace(resolvent * Gamma * resolvent) + tau**2 * sp.Trace(resolvent * A.T * A * resolvent)

    off = beta * tau**2 - scaled * sigma**2
    return Derivation(
        name="noise-mismatch",
        title="A wrong noise variance of the decoder, and correlated factors",
        statement=(
            Claim(
                "At $b \\sigma^2 = \\beta \\tau^2$ the loss of each encoder at the noise $\\sigma^2$ and the weight "
                "$b$ is, up to a constant, $b/\\beta$ times that at the noise $\\tau^2$ and the weight $\\beta$: of "
                "the encoders of any family the same is best.",
                by=("The loss at another noise and weight",),
            ),
            Claim(
                "So the best encoder depends on $\\beta$ and $\\sigma^2$ only through $t = \\beta\\sigma^2$, as its "
                "precision $P$ does.",
                by=("The loss at another noise and weight", "The precision at another noise and weight"),
            ),
            Claim(
                "Therefore each error of the best encoder at the noise $\\sigma^2$ and the weight $b = "
                "(\\tau^2/\\sigma^2) \\beta$ is that at the noise $\\tau^2$ and the weight $\\beta$, and every "
                "optimum scales: $\\beta^*(\\sigma^2) = (\\tau^2/\\sigma^2) \\beta^*(\\tau^2)$.",
                by=("The loss at another noise and weight", "The precision at another noise and weight"),
            ),
            Claim(
                "With the true decoder and independent factors the mean squared error is least at $\\beta^* = "
                "\\tau^2/\\sigma^2$, whatever $A \\ne 0$ is.",
                by=(
                    "inference-error: The slope of the mean squared error",
                    "matrix-inequalities: A trace is positive",
                    "Mean squared error with the wrong noise",
                ),
            ),
            Claim(
                "For correlated factors the slope of the mean squared error in $t$ is $2 tr[(t \\Gamma - \\tau^2 I) G "
                "R^3]$, which is $2 \\sum_k g_k (t \\gamma_k - \\tau^2)/(g_k + t)^3$ over the modes of $G$: it is "
                "stationary where this is zero.",
                by=("Slope with correlated factors", "Error with correlated factors", "One mode"),
            ),
            Claim(
                "All terms of this sum are negative below $t = \\tau^2/\\max_k\\gamma_k$ and positive above $t = "
                "\\tau^2/\\min_k\\gamma_k$: the best $t$ lies between these.",
                by=("One mode",),
            ),
        ),
        assumptions=(
            "Any linear decoder, family, data and criterion for the scaling law: a criterion is a function of the "
            "encoder and the truth. $V$, $Q$ is any encoder.",
            "For the second part $W = A$, and $\\gamma_k = u_k^T \\Gamma u_k$ along the orthonormal eigenvectors $u_k$ "
            "of $G = A^T A$ with eigenvalues $g_k > 0$; modes with $g_k = 0$ do not depend on $t$.",
        ),
        scope="For every $K$ and $D$; the modes are taken one at a time, as the terms of a sum.",
        matrices=dict.fromkeys((Gamma, R, Q, S), "positive"),
        steps=(
            Step(
                "The loss at another noise and weight",
                sp.Eq(
                    other_loss - scaled / beta * true_loss,
                    off / (2 * beta * sigma**2 * tau**2) * squares,
                    evaluate=False,
                ),
                "The KL terms cancel, and so do the squared errors if $b \\sigma^2 = \\beta \\tau^2$. The constants "
                "contain the noise alone.",
                let=(
                    Let(squares, distortion(), "the squared error of the data, of any encoder $V$, $Q$"),
                    Let(
                        true_loss,
                        without_constant(beta, tau),
                        "the loss at the noise $\\tau^2$ and the weight $\\beta$, less the constant $(D/2) \\log "
                        "2\\pi\\tau^2$",
                    ),
                    Let(
                        other_loss,
                        without_constant(scaled, sigma),
                        "that at the noise $\\sigma^2$ and the weight $b$, less $(D/2) \\log 2\\pi\\sigma^2$",
                    ),
                ),
                wrong_form=-off / (2 * beta * sigma**2 * tau**2) * squares,
            ),
            Step(
                "The precision at another noise and weight",
                sp.Eq(
                    other_precision - true_precision,
                    off / (scaled * sigma**2 * beta * tau**2) * W.T * W,
                    evaluate=False,
                ),
                "The precision is the same at the same $t$; the best mean and variances follow from it.",
                let=(
                    Let(
                        true_precision, IDENTITY + W.T * W / (beta * tau**2), "the precision at $\\tau^2$ and $\\beta$"
                    ),
                    Let(other_precision, IDENTITY + W.T * W / (scaled * sigma**2), "that at $\\sigma^2$ and $b$"),
                ),
                wrong_form=(beta * tau**2 + scaled * sigma**2) / (scaled * sigma**2 * beta * tau**2) * W.T * W,
            ),
            Step(
                "Mean squared error with the wrong noise",
                sp.Eq(
                    sp.Derivative(error, beta),
                    2 * g * sigma**2 * (beta * sigma**2 - tau**2) / (g + beta * sigma**2) ** 3,
                    evaluate=False,
                ),
                "Mode by mode the slope changes its sign at $\\beta = \\tau^2/\\sigma^2$, for every loading.",
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
                    sp.Trace(error_matrix(R * A.T, Gamma, tau**2 * sp.Identity(D))),
                    squared_error(t, R),
                    evaluate=False,
                ),
                "The error matrix of the encoder for the prior $N(0, I)$, which is wrong here; its trace is the mean "
                "squared error.",
                let=(RESOLVENT,),
                wrong_form=t**2 * sp.Trace(R * Gamma * R) - tau**2 * sp.Trace(R * A.T * A * R),
            ),
            Step(
                "Slope with correlated factors",
                sp.Eq(
                    sp.Subs(sp.Derivative(squared_error(t + e, at_level), e), e, 0),
                    2 * sp.Trace((t * Gamma - tau**2 * IDENTITY) * A.T * A * R**3),
                    evaluate=False,
                ),
                "The level rises from $t$ to $t + \\epsilon$, where the resolvent is $(R^{-1} + \\epsilon I)^{-1}$.",
            ),
            Step(
                "One mode",
                sp.Eq(sp.Derivative(mode, t), 2 * g * (t * gamma - tau**2) / (g + t) ** 3, evaluate=False),
                "On an eigenvector of $G$ the resolvent is $1/(g + t)$ and $\\Gamma$ enters through $\\gamma$; a mode "
                "falls up to $t = \\tau^2/\\gamma_k$ and rises from there on.",
                let=(Let(mode, (t**2 * gamma + tau**2 * g) / (g + t) ** 2, "one term of the trace"),),
            ),
        ),
        results=("The precision at another noise and weight", "One mode"),
        sources=(Source("sikka2019", "in its setting"),),
        builds_on=("inference-error", "posterior-families", "slope-at-one", "elbo-parts", "matrix-inequalities"),
    )
