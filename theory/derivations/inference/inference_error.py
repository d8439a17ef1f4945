"""Page: the four errors of the beta-posterior against the true factors."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, Q, V, W, t, tau
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step

G, R = sp.MatrixSymbol("G", K, K), sp.MatrixSymbol("R", K, K)
IDENTITY = sp.Identity(K)
GRAM = Let(G, A.T * A, "the Gram matrix of the loading", rule=(A.T * A, G))
RESOLVENT = Let(R, (G + t * IDENTITY).I, "the resolvent", rule=(G * R, IDENTITY - t * R))


def derivation() -> Derivation:
    E, M, Gamma, Sigma = (sp.MatrixSymbol(name, K, K) for name in ("E", "M", "Gamma", "Sigma"))
    s, mu, x = sp.MatrixSymbol("s", K, 1), sp.MatrixSymbol("mu", K, 1), sp.MatrixSymbol("x", D, 1)
    noise, N, B = sp.MatrixSymbol("n", D, 1), sp.MatrixSymbol("N", D, D), sp.MatrixSymbol("B", K, D)
    gain_error = V * A - IDENTITY
    g = sp.Symbol("g", positive=True)
    mode = sp.Function("e")(t)
    spread = sp.Trace(Q.I * E)
    # A decoder other than the truth's: its Gram matrix, resolvent and gain, and one factor's share of the log score.
    H, R_W, best = sp.MatrixSymbol("H", K, K), sp.MatrixSymbol("R_W", K, K), sp.MatrixSymbol("V_o", K, D)
    e, rise = sp.symbols("epsilon k", real=True)
    h, level, value = sp.symbols("h t_o c", positive=True)
    share, variance = sp.Function("J")(t), sp.Function("d")(t)

    def squared_error(gain):
        miss = gain * A - IDENTITY
        return sp.Trace(miss * Gamma * miss.T + gain * N * gain.T)

    score = sp.Symbol("ell", real=True)
    entropy = (K * sp.log(2 * sp.pi) + K + LogDet(Sigma)) / 2
    return Derivation(
        name="inference-error",
        title="Four errors of an encoder against the true factors",
        statement=(
            Claim(
                "The mean squared error and the log score of an encoder $q(s|x) = N(V x, Q)$ follow from "
                "the error matrix $E = \\mathrm{E}[(s - \\mu)(s - \\mu)^T]$.",
                by=(
                    "The error matrix",
                    "Log score",
                ),
            ),
            Claim(
                "Its forward and reverse divergence from the true posterior $p(s|x)$ follow from $E$ and "
                "the true covariance $\\Sigma$.",
                by=(
                    "Distance from the true posterior mean",
                    "Forward divergence",
                    "Reverse divergence",
                ),
                argued=True,
            ),
            Claim(
                "For factors of covariance $I$ the gain $R A^T$ with $R = (G + t I)^{-1}$ has $E = \\tau^2 "
                "R + t (t - \\tau^2) R^2$.",
                by=("Error matrix of the best encoder",),
            ),
            Claim(
                "It is the gain of the best encoder of the true decoder.",
                by=("Error of the best encoder's gain",),
                argued=True,
            ),
            Claim(
                "For any fixed decoder the slope of the squared error in $t$ is closed, too.",
                by=(
                    "Any decoder: the slope of its gain",
                    "Any decoder: the slope of the mean squared error",
                ),
                argued=True,
            ),
            Claim(
                "So is the slope of the log score.",
                by=("Any decoder: the slope of the log score",),
                argued=True,
            ),
        ),
        assumptions=(
            "Truth $x = A s + n$ with $s \\sim N(0, \\Gamma)$, $n \\sim N(0, \\tau^2 I)$, all centred.",
            "In steps 6 to 11 $\\Gamma = I$ and the encoder is the best one for $W = A$ and water level $t$.",
            "In the last three steps the decoder $W$ is fixed and arbitrary, with its best encoder; $\\Gamma$ is any.",
        ),
        scope=(
            "For every $K$ and $D$; steps 8 to 11 are one eigenvalue $g$ of $G$ at a time, which is no restriction; "
            "the log score along $t$ for a diagonal $Q$, one latent at a time."
        ),
        matrices=dict.fromkeys((Gamma, N, M, Q, Sigma), "positive") | dict.fromkeys((E, G, R, H, R_W), "symmetric"),
        moments={s: Gamma, noise: N},
        steps=(
            Step(
                "The error matrix",
                sp.Eq(Expectation(SquaredNorm(s - mu, M)), sp.Trace(M * E), evaluate=False),
                "The error $s - \\mu = -(V A - I) s - V n$ is a sum of independent parts, and $N = \\tau^2 I$ is the "
                "covariance of the noise; as this holds for every $M$, $E$ is the second moment of the error; the mean "
                "squared error is $tr(E)$.",
                let=(
                    Let(x, A * s + noise, "the data"),
                    Let(mu, V * x, "the inferred mean"),
                    Let(E, gain_error * Gamma * gain_error.T + V * N * V.T, "the error matrix"),
                ),
                wrong_form=sp.Trace(M * (E - V * N * V.T)),
            ),
            Step(
                "Log score",
                sp.Eq(
                    Expectation(-(K * sp.log(2 * sp.pi) + LogDet(Q) + SquaredNorm(s - mu, Q.I)) / 2),
                    -(K * sp.log(2 * sp.pi) + LogDet(Q) + spread) / 2,
                    evaluate=False,
                ),
                "The expectation of $\\log N(s; \\mu, Q)$ over $s$ and $x$: the error matrix with $M = Q^{-1}$.",
                wrong_form=-(K * sp.log(2 * sp.pi) + LogDet(Q) - spread) / 2,
            ),
            Step(
                "Distance from the true posterior mean",
                sp.Eq(
                    Expectation(SquaredNorm(mu - B * x, M)),
                    sp.Trace(M * (E - Sigma)),
                    evaluate=False,
                ),
                "The true posterior is $N(B x, \\Sigma)$; its own error is uncorrelated with everything that is "
                "computed from $x$, so that $E$ is $\\Sigma$ plus the second moment of $\\mu - B x$.",
                let=(
                    Let(
                        Sigma,
                        (Gamma.I + A.T * N.I * A).I,
                        "the covariance of the true posterior",
                        rule=(A.T * N.I * A, Sigma.I - Gamma.I),
                    ),
                    Let(B, Sigma * A.T * N.I, "the gain of the true posterior"),
                ),
                wrong_form=sp.Trace(M * (E + Sigma)),
            ),
            Step(
                "Forward divergence",
                sp.Eq(
                    Expectation(
                        (sp.Trace(Q.I * Sigma) + SquaredNorm(mu - B * x, Q.I) - K + LogDet(Q) - LogDet(Sigma)) / 2
                    ),
                    -score - entropy,
                    evaluate=False,
                ),
                "On the left $KL(p(s|x)||q(s|x))$ of two Gaussians, averaged over $x$: it is minus the log score "
                "$\\ell$ minus the entropy of the true posterior, which no encoder changes.",
                let=(Let(score, -(K * sp.log(2 * sp.pi) + LogDet(Q) + spread) / 2, "the log score"),),
                wrong_form=-score + entropy,
            ),
            Step(
                "Reverse divergence",
                sp.Eq(
                    Expectation(
                        (sp.Trace(Sigma.I * Q) + SquaredNorm(mu - B * x, Sigma.I) - K + LogDet(Sigma) - LogDet(Q)) / 2
                    ),
                    (sp.Trace(Sigma.I * (Q + E)) - 2 * K + LogDet(Sigma) - LogDet(Q)) / 2,
                    evaluate=False,
                ),
                "The same with the roles exchanged, $KL(q(s|x)||p(s|x))$ averaged over $x$.",
                wrong_form=(sp.Trace(Sigma.I * (Q + E)) - K + LogDet(Sigma) - LogDet(Q)) / 2,
            ),
            Step(
                "Error of the best encoder's gain",
                sp.Eq(R * A.T * A - IDENTITY, -t * R, evaluate=False),
                "The best gain is $V = R A^T$: on the page on the best encoder, $P^{-1}/t = R$.",
                let=(GRAM, RESOLVENT),
                wrong_form=-t * R * R,
            ),
            Step(
                "Error matrix of the best encoder",
                sp.Eq(
                    (R * A.T * A - IDENTITY) * (R * A.T * A - IDENTITY).T + tau**2 * R * A.T * A * R.T,
                    tau**2 * R + t * (t - tau**2) * R**2,
                    evaluate=False,
                ),
                "Insert $V = R A^T$, $\\Gamma = I$ into the error matrix and use $G R = I - t R$.",
                wrong_form=tau**2 * R - t * (t - tau**2) * R**2,
            ),
            Step(
                "One mode of the mean squared error",
                sp.Eq(mode, (t**2 + tau**2 * g) / (g + t) ** 2, evaluate=False),
                "On an eigenvector of $G$ with eigenvalue $g$ the resolvent is $1/(g + t)$; the mean squared error "
                "is the sum of this over the modes.",
                let=(Let(mode, tau**2 / (g + t) + t * (t - tau**2) / (g + t) ** 2, "one eigenvalue of $E$"),),
            ),
            Step(
                "The mean squared error is least at the true water level",
                sp.Eq(sp.Derivative(mode, t), 2 * g * (t - tau**2) / (g + t) ** 3, evaluate=False),
                "Every mode with $g > 0$ falls up to $t = \\tau^2$ and rises from there on, so with $\\sigma^2 = "
                "\\tau^2$ the best is $\\beta = 1$, uniquely unless $A = 0$.",
            ),
            Step(
                "Reverse divergence: the part of the mean",
                sp.Eq(
                    sp.Derivative((g + tau**2) / tau**2 * mode, t),
                    2 * g * (g + tau**2) * (t - tau**2) / (tau**2 * (g + t) ** 3),
                    evaluate=False,
                ),
                "$\\Sigma^{-1} = (G + \\tau^2 I)/\\tau^2$ weights the modes of $E$; the slope of each weighted mode "
                "changes sign at the same point.",
            ),
            Step(
                "Reverse divergence: the part of the variances",
                sp.Eq(
                    sp.Derivative((g + tau**2) / tau**2 * t / (g + t) - sp.log(t / (g + t)), t),
                    g**2 * (t - tau**2) / (tau**2 * t * (g + t) ** 2),
                    evaluate=False,
                ),
                "With $g$ now a diagonal entry $G_{jj}$ the variances $d = t/(G_{jj} + t)$ enter as "
                "$(\\Sigma^{-1})_{jj} d - \\log d$; their slope changes sign there too, so the reverse divergence is "
                "also least at $\\beta = 1$.",
            ),
            Step(
                "Any decoder: the slope of its gain",
                sp.Eq(
                    (W.T * W + (t + e) * IDENTITY) * (R_W - e * R_W**2),
                    IDENTITY - e**2 * R_W**2,
                    evaluate=False,
                ),
                "If the water level rises from $t$ to $t + \\epsilon$, the resolvent $R_W$ of the decoder changes by "
                "$-\\epsilon R_W^2$ up to the order $\\epsilon^2$, so that the best gain $V_o = R_W W^T$ has the slope "
                "$-R_W V_o$ in $t$.",
                let=(
                    Let(H, W.T * W, "the Gram matrix of the decoder", rule=(W.T * W, H)),
                    Let(R_W, (H + t * IDENTITY).I, "the resolvent of the decoder", rule=(H * R_W, IDENTITY - t * R_W)),
                ),
                wrong_form=IDENTITY + e**2 * R_W**2,
            ),
            Step(
                "Any decoder: the slope of the mean squared error",
                sp.Eq(
                    squared_error(best - e * R_W * best) - squared_error(best),
                    -2 * e * sp.Trace(R_W * best * (A * Gamma * A.T + N) * best.T)
                    + 2 * e * sp.Trace(R_W * best * A * Gamma)
                    + e**2 * sp.Trace(R_W * best * (A * Gamma * A.T + N) * best.T * R_W),
                    evaluate=False,
                ),
                "For every gain $V_o$ that changes in this way. The trace of the error matrix has the slope $-2 "
                "tr[R_W V_o "
                "(S V_o^T - A\\Gamma)]$ with $S = A\\Gamma "
                "A^T + N$. A least error at a level above zero and below infinity is at a root of it.",
                wrong_form=-2 * e * sp.Trace(R_W * best * (A * Gamma * A.T + N) * best.T)
                - 2 * e * sp.Trace(R_W * best * A * Gamma)
                + e**2 * sp.Trace(R_W * best * (A * Gamma * A.T + N) * best.T * R_W),
            ),
            Step(
                "Any decoder: the slope of the log score",
                sp.Eq(
                    sp.Subs(sp.Derivative(share, t), t, level),
                    h / (2 * level * (h + level)) + ((h + level) * rise - value * h / level) / (2 * level),
                    evaluate=False,
                ),
                "At a level $t_o$, with $h = H_{jj}$: $c$ and $k$ are the error of factor $j$ and its slope there, of "
                "which only these two enter. The log score is minus the sum of $J$ over factors, up to a constant.",
                let=(
                    Let(variance, t / (h + t), "the posterior variance"),
                    Let(
                        share,
                        (sp.log(variance) + (value + rise * (t - level)) / variance) / 2,
                        "the share of one factor",
                    ),
                ),
            ),
        ),
        results=(
            "The error matrix",
            "Log score",
            "Forward divergence",
            "Reverse divergence",
            "Error matrix of the best encoder",
        ),
        sources=(Source("sikka2019", "in its setting; its own formulas were not consulted"),),
        builds_on=("optimal-encoder", "gaussian-kl"),
    )
