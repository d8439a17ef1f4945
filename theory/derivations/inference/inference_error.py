"""Page: the four errors of the beta-posterior against the true factors."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, Q, S, V, W, t, tau
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.matrix_inequalities import use_trace

__all__ = ["IDENTITY", "RESOLVENT", "R", "derivation", "error_matrix"]

R = sp.MatrixSymbol("R", K, K)
IDENTITY = sp.Identity(K)
RESOLVENT = Let(R, (A.T * A + t * IDENTITY).I, "the resolvent", rule=(A.T * A, R.I - t * IDENTITY))


def error_matrix(gain, factors, noise) -> sp.MatrixExpr:
    """The second moment of the error of an inferred mean, for factors and noise of these covariances."""
    miss = gain * A - IDENTITY
    return miss * factors * miss.T + gain * noise * gain.T


def derivation() -> Derivation:
    E, M, Gamma, Sigma = (sp.MatrixSymbol(name, K, K) for name in ("E", "M", "Gamma", "Sigma"))
    s, mu, x = sp.MatrixSymbol("s", K, 1), sp.MatrixSymbol("mu", K, 1), sp.MatrixSymbol("x", D, 1)
    noise, Psi, bayes = sp.MatrixSymbol("n", D, 1), sp.MatrixSymbol("Psi", D, D), sp.MatrixSymbol("V_s", K, D)
    y, z, w = sp.MatrixSymbol("y", K, 1), sp.MatrixSymbol("z", D, 1), sp.MatrixSymbol("w", K, 1)
    g = sp.Symbol("g", positive=True)
    mode = sp.Function("e")(t)
    spread = sp.Trace(Q.I * E)
    # A decoder other than the truth's: its resolvent and gain, and one factor's share of the log score.
    R_W, best = sp.MatrixSymbol("R_W", K, K), sp.MatrixSymbol("V_o", K, D)
    e, rise = sp.symbols("epsilon k", real=True)
    B, blocks = sp.MatrixSymbol("B", K, K), sp.MatrixSymbol("R_B", K, K)
    h, level, value = sp.symbols("h t_o c", positive=True)
    share, variance = sp.Function("J")(t), sp.Function("d")(t)
    moved = (W.T * W + (t + e) * IDENTITY).I
    at_level, white = (R.I + e * IDENTITY).I, tau**2 * sp.Identity(D)
    score = sp.Symbol("ell", real=True)

    def squared_error(water_level, resolvent):
        return sp.Trace(resolvent * (water_level**2 * IDENTITY + tau**2 * A.T * A) * resolvent)

    def of_the_mean(water_level, resolvent):
        squares = resolvent * (water_level**2 * IDENTITY + tau**2 * A.T * A) * resolvent
        return sp.Trace((IDENTITY + A.T * A / tau**2) * squares)

    def of_the_variances(water_level, resolvent):
        weights = IDENTITY + sp.HadamardProduct(A.T * A, B) / tau**2
        return water_level * sp.Trace(weights * resolvent) - K * sp.log(water_level) - LogDet(resolvent)

    def weighted_error(gain, transposed):
        return sp.Trace(M * (gain * S * transposed - 2 * gain * A * Gamma + Gamma))

    def missed(metric):
        return Expectation(SquaredNorm(mu - bayes * x, metric))

    entropy = (K * sp.log(2 * sp.pi) + K + LogDet(Sigma)) / 2
    return Derivation(
        name="inference-error",
        title="Four errors of an encoder against the true factors",
        statement=(
            Claim(
                "The mean squared error of an encoder $q(s|x) = N(V x, Q)$ is the trace of the error matrix $E$, the "
                "second moment of the error $s - \\mu$ of its mean $\\mu = V x$, and its log score follows from $E$ "
                "and $Q$.",
                by=("The error matrix", "Log score"),
            ),
            Claim("The true posterior $p(s|x)$ is $N(V_s x, \\Sigma)$.", by=("The true posterior",)),
            Claim(
                "The forward and the reverse divergence of the encoder from it, averaged over $x$, follow from $E$, "
                "$Q$ and $\\Sigma$.",
                by=(
                    "gaussian-kl: The divergence",
                    "Distance from the true posterior mean",
                    "Forward divergence",
                    "Reverse divergence",
                ),
            ),
            Claim(
                "No encoder has a smaller error, of any combination $w^T s$ of the factors, than the mean of the true "
                "posterior.",
                by=("Distance from the true posterior mean", "No error is smaller than that of the true posterior"),
            ),
            Claim(
                "The mean squared error of every other gain is larger.",
                by=("Distance from the true posterior mean", "Another gain has a larger error"),
            ),
            Claim(
                "For factors of covariance $I$ and noise of covariance $\\tau^2 I$ the gain $R A^T$ with $R = (G + t "
                "I)^{-1}$ and $G = A^T A$ has $E = \\tau^2 R + t (t - \\tau^2) R^2$.",
                by=("Error matrix of the best encoder",),
            ),
            Claim(
                "It is the gain of the best encoder of the true decoder at the water level $t$, in each family.",
                by=("The gain of the best encoder", "posterior-families: No encoder of the family is better"),
            ),
            Claim(
                "The mean squared error of this gain has the slope $2 (t - \\tau^2) tr(A R^3 A^T)$ "
                "in $t$: unless $A = 0$ it falls up to $t = \\tau^2$ and rises from there on, so that with the true "
                "noise it is least at $\\beta = 1$, and only there.",
                by=(
                    "The mean squared error of the best encoder",
                    "The slope of the mean squared error",
                    "matrix-inequalities: A trace is positive",
                ),
            ),
            Claim(
                "Mode by mode: where $G$ has an eigenvalue $g$, this $E$ has $(t^2 + \\tau^2 g)/(g + t)^2$, whose "
                "slope has the sign of $g (t - \\tau^2)$.",
                by=("One mode of the mean squared error", "The mean squared error is least at the true water level"),
            ),
            Claim(
                "The reverse divergence of each family is least at $t = \\tau^2$, too, and only there unless $A = 0$: "
                "up to a constant it is half the sum of $tr(\\Sigma^{-1} E)$ and $tr(\\Sigma^{-1} Q) - \\log\\det Q$, "
                "and the slopes of both in $t$ are $t - \\tau^2$ times traces that are positive unless $A = 0$.",
                by=(
                    "Reverse divergence",
                    "The slope of the part of the mean",
                    "The slope of the part of the variances",
                    "matrix-inequalities: A trace is positive",
                ),
            ),
            Claim(
                "Mode by mode both slopes have the sign of $g (t - \\tau^2)$, with $g$ an eigenvalue of $G$ in the "
                "first part and of the blocks of $G$ in the second.",
                by=("Reverse divergence: the part of the mean", "Reverse divergence: the part of the variances"),
            ),
            Claim(
                "For any fixed decoder $W$, with its best gain $V_o$ at the level $t$, the slope of $tr(M E)$ in $t$ "
                "is $-2 tr[M R_W V_o (S V_o^T - A\\Gamma)]$ for each $M$: for the mean squared error $M$ is $I$, for "
                "that of one factor its one entry that is not zero is on the diagonal. A least error at a level above "
                "zero and below infinity is at a root of this slope.",
                by=("The weighted error of any gain", "Any decoder: the slope of the error"),
            ),
            Claim(
                "For a diagonal $Q$ the log score is, up to a constant, minus the sum over factors of $J = (\\log d + "
                "c/d)/2$, with $c$ the error of the factor and $d = t/(h + t)$ its variance, $h = (W^T W)_{jj}$, and "
                "the slope of $J$ in $t$ follows from $c$ and the slope $k$ of $c$.",
                by=("Log score", "Any decoder: the slope of the log score"),
            ),
        ),
        assumptions=(
            "Truth $x = A s + n$ with $s \\sim N(0, \\Gamma)$, $n \\sim N(0, \\Psi)$, all centred.",
            "Where $\\tau$ occurs, $\\Psi = \\tau^2 I$ and $\\Gamma = I$, and the encoder is the best one for $W = A$ "
            "and the water level $t$.",
            "In the last two steps the decoder $W$ is fixed and arbitrary, with its best encoder; $\\Gamma$ and "
            "$\\Psi$ are any.",
        ),
        scope=(
            "For every $K$ and $D$. The steps with an eigenvalue $g$ are one mode at a time; the log score along $t$ "
            "is for a diagonal $Q$, one factor at a time."
        ),
        matrices=dict.fromkeys((Gamma, Psi, Q, Sigma, R, R_W, blocks), "positive")
        | {B: "partition"}
        | dict.fromkeys((E, M), "symmetric"),
        moments={s: Gamma, noise: Psi},
        steps=(
            Step(
                "The error matrix",
                sp.Eq(Expectation(SquaredNorm(s - mu, M)), sp.Trace(M * E), evaluate=False),
                "The error $s - \\mu = -(V A - I) s - V n$ is a sum of independent parts, and $\\Psi$ is the "
                "covariance of the noise; as this holds for every $M$, $E$ is the second moment of the error; $M = I$ "
                "gives the mean squared error.",
                let=(
                    Let(x, A * s + noise, "the data"),
                    Let(mu, V * x, "the inferred mean"),
                    Let(E, error_matrix(V, Gamma, Psi), "the error matrix"),
                ),
                wrong_form=sp.Trace(M * (E - V * Psi * V.T)),
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
                "The true posterior",
                sp.Eq(
                    SquaredNorm(y, Gamma.I) + SquaredNorm(z - A * y, Psi.I),
                    SquaredNorm(y - bayes * z, Sigma.I) + SquaredNorm(z, Psi.I) - SquaredNorm(bayes * z, Sigma.I),
                    evaluate=False,
                ),
                "The left side is $-2 \\log [p(s) p(x|s)]$ at $s = y$ and $x = z$, up to a constant; complete the "
                "square in $y$.",
                let=(
                    Let(
                        Sigma,
                        (Gamma.I + A.T * Psi.I * A).I,
                        "the covariance of the true posterior",
                        rule=(A.T * Psi.I * A, Sigma.I - Gamma.I),
                    ),
                    Let(bayes, Sigma * A.T * Psi.I, "the gain of the true posterior"),
                ),
                wrong_form=SquaredNorm(y - bayes * z, Sigma.I) + SquaredNorm(z, Psi.I),
            ),
            Step(
                "Distance from the true posterior mean",
                sp.Eq(
                    missed(M),
                    sp.Trace(M * (E - Sigma)),
                    evaluate=False,
                ),
                "The error of the true posterior mean is uncorrelated with everything that is computed from $x$, so "
                "that $E$ is $\\Sigma$ plus the second moment of $\\mu - V_s x$.",
                wrong_form=sp.Trace(M * (E + Sigma)),
            ),
            Step(
                "Forward divergence",
                sp.Eq(
                    (sp.Trace(Q.I * Sigma) + missed(Q.I) - K + LogDet(Q) - LogDet(Sigma)) / 2,
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
                    (sp.Trace(Sigma.I * Q) + missed(Sigma.I) - K + LogDet(Sigma) - LogDet(Q)) / 2,
                    (sp.Trace(Sigma.I * (Q + E)) - 2 * K + LogDet(Sigma) - LogDet(Q)) / 2,
                    evaluate=False,
                ),
                "The same with the roles exchanged, $KL(q(s|x)||p(s|x))$ averaged over $x$.",
                wrong_form=(sp.Trace(Sigma.I * (Q + E)) - K + LogDet(Sigma) - LogDet(Q)) / 2,
            ),
            Step(
                "The weighted error of any gain",
                sp.Eq(sp.Trace(M * E), weighted_error(V, V.T), evaluate=False),
                "Multiply out the error matrix; the mean squared error of all factors or of one is such a sum of "
                "entries of $E$.",
                let=(Let(S, A * Gamma * A.T + Psi, "the covariance of the data"),),
                wrong_form=weighted_error(V, -V.T),
            ),
            Step(
                "No error is smaller than that of the true posterior",
                sp.Ge(SquaredNorm(w, E), SquaredNorm(w, Sigma), evaluate=False),
                "The difference is the variance of $w^T (V - V_s) x$; $w^T s$ is one factor, or a combination of "
                "several.",
                uses=(use_trace(S, (V - bayes).T * w, sp.Identity(1)),),
            ),
            Step(
                "Another gain has a larger error",
                sp.Gt(sp.Trace(E), sp.Trace(Sigma), evaluate=False),
                "$S$ is positive definite.",
                where=(sp.Ne(V - bayes, sp.ZeroMatrix(K, D), evaluate=False),),
                uses=(use_trace(IDENTITY, V - bayes, S, strict=True),),
            ),
            Step(
                "The gain of the best encoder",
                sp.Eq((IDENTITY + A.T * A / t).I * A.T / t, R * A.T, evaluate=False),
                "On the left the best gain $P^{-1} W^T/t$ for $W = A$, with the precision $P = I + W^T W/t$.",
                let=(RESOLVENT,),
                wrong_form=R * R * A.T,
            ),
            Step(
                "Error matrix of the best encoder",
                sp.Eq(
                    error_matrix(R * A.T, IDENTITY, white),
                    tau**2 * R + t * (t - tau**2) * R**2,
                    evaluate=False,
                ),
                "Insert $V = R A^T$, $\\Gamma = I$ into the error matrix and use $G = R^{-1} - t I$.",
                wrong_form=tau**2 * R - t * (t - tau**2) * R**2,
            ),
            Step(
                "The mean squared error of the best encoder",
                sp.Eq(sp.Trace(error_matrix(R * A.T, IDENTITY, white)), squared_error(t, R), evaluate=False),
                "Since $\\tau^2 R + t (t - \\tau^2) R^2 = R (t^2 I + \\tau^2 G) R$.",
                wrong_form=squared_error(tau**2, R),
            ),
            Step(
                "The slope of the mean squared error",
                sp.Eq(
                    sp.Subs(sp.Derivative(squared_error(t + e, at_level), e), e, 0),
                    2 * (t - tau**2) * sp.Trace(A * R**3 * A.T),
                    evaluate=False,
                ),
                "The level rises from $t$ to $t + \\epsilon$, where the resolvent is $(R^{-1} + \\epsilon I)^{-1}$.",
            ),
            Step(
                "One mode of the mean squared error",
                sp.Eq(mode, (t**2 + tau**2 * g) / (g + t) ** 2, evaluate=False),
                "On an eigenvector of $G$ with eigenvalue $g$ the resolvent is $1/(g + t)$; the mean squared error is "
                "the sum over the modes.",
                let=(Let(mode, tau**2 / (g + t) + t * (t - tau**2) / (g + t) ** 2, "one eigenvalue of $E$"),),
            ),
            Step(
                "The mean squared error is least at the true water level",
                sp.Eq(sp.Derivative(mode, t), 2 * g * (t - tau**2) / (g + t) ** 3, evaluate=False),
                "Each mode is least at the true water level, as their sum is.",
            ),
            Step(
                "The slope of the part of the mean",
                sp.Eq(
                    sp.Subs(sp.Derivative(of_the_mean(t + e, at_level), e), e, 0),
                    2 * (t - tau**2) * (sp.Trace(A * R**3 * A.T) + sp.Trace(A.T * A * R**3 * A.T * A) / tau**2),
                    evaluate=False,
                ),
                "On the left is $tr(\\Sigma^{-1} E)$ with $\\Sigma^{-1} = I + G/\\tau^2$ at the level $t + \\epsilon$.",
            ),
            Step(
                "The slope of the part of the variances",
                sp.Eq(
                    sp.Subs(sp.Derivative(of_the_variances(t + e, (blocks.I + e * IDENTITY).I), e), e, 0),
                    (t - tau**2)
                    / (tau**2 * t)
                    * sp.Trace(sp.HadamardProduct(A.T * A, B) * blocks**2 * sp.HadamardProduct(A.T * A, B)),
                    evaluate=False,
                ),
                "On the left is $tr(\\Sigma^{-1} Q) - \\log\\det Q$ at the level $t + \\epsilon$: the best covariance "
                "of the family with blocks $B$ is $Q = (P \\circ B)^{-1} = t R_B$, and the trace sees only the blocks "
                "of $\\Sigma^{-1}$. The right side vanishes at $t \\ne \\tau^2$ only if $G \\circ B = 0$, so that "
                "every column of $A$ is zero.",
                let=(
                    Let(
                        blocks,
                        sp.HadamardProduct(R.I, B).I,
                        "the resolvent of the blocks of $G$",
                        rule=(sp.HadamardProduct(R.I, B), blocks.I),
                    ),
                ),
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
                "Now $g$ is an eigenvalue of the blocks of $G$: a diagonal entry $G_{jj}$ for a diagonal posterior. "
                "The blocks of $\\Sigma^{-1}$ have $(g + \\tau^2)/\\tau^2$ and those of $Q$ have $t/(g + t)$.",
            ),
            Step(
                "Any decoder: the slope of the error",
                sp.Eq(
                    sp.Subs(sp.Derivative(weighted_error(moved * W.T, W * moved), e), e, 0),
                    -2 * sp.Trace(M * R_W * best * (S * best.T - A * Gamma)),
                    evaluate=False,
                ),
                "On the left is the weighted error of the best gain at the level $t + \\epsilon$.",
                let=(
                    Let(
                        R_W,
                        (W.T * W + t * IDENTITY).I,
                        "the resolvent of the decoder",
                        rule=(W.T * W, R_W.I - t * IDENTITY),
                    ),
                    Let(best, R_W * W.T, "the best gain"),
                ),
                wrong_form=-2 * sp.Trace(M * R_W * best * (S * best.T + A * Gamma)),
            ),
            Step(
                "Any decoder: the slope of the log score",
                sp.Eq(
                    sp.Subs(sp.Derivative(share, t), t, level),
                    h / (2 * level * (h + level)) + ((h + level) * rise - value * h / level) / (2 * level),
                    evaluate=False,
                ),
                "At a level $t_o$, with $h = (W^T W)_{jj}$: $c$ and $k$ are the error of factor $j$ and its slope "
                "there, of which only these two enter. The log score is minus the sum of $J$ over factors, up to a "
                "constant.",
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
        builds_on=("optimal-encoder", "posterior-families", "gaussian-kl", "matrix-inequalities"),
    )
