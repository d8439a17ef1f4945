"""Page: estimates of total correlation from minibatches: their offset, bias and bounds."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, n
from theory.derivations.engine.operators import Expectation, LogDet, OverAll, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import AGGREGATE
from theory.derivations.foundations.gibbs_inequality import use_log_tangent


def derivation() -> Derivation:
    N, w, h, chi = sp.symbols("N w h chi", positive=True)
    u, epsilon, b, L = sp.symbols("u epsilon b L", real=True)
    groups, i = sp.symbols("m i", integer=True, positive=True)
    # Densities of any code y, given the data point s and in the aggregate, and of the data point.
    y, s = sp.symbols("y s", real=True)
    p, f, q, of_error, shifted = (sp.Function(name, positive=True) for name in ("p", "f", "q", "phi", "psi"))
    # The deviations of the ratios of the other points from 1, with their weights.
    own_ratio = sp.Symbol("rho_o", positive=True)
    shares, ratios = (sp.IndexedBase(sp.Symbol(name, positive=True)) for name in ("a", "rho"))
    weights, deviations = sp.MatrixSymbol("a", n, 1), sp.MatrixSymbol("d", n, 1)
    second = sp.MatrixSymbol("X", n, n)
    logarithm = sp.Function("kappa")(h)
    stratified = chi * (1 / N - (1 - 1 / N) ** 2 / (2 * n))
    weighted = chi * (n + 2) / (2 * (n + 1) ** 2)
    # Gaussian codes.
    x, z = sp.MatrixSymbol("x", D, 1), sp.MatrixSymbol("z", K, 1)
    back, left = sp.MatrixSymbol("F", D, K), sp.MatrixSymbol("Omega", D, D)
    precision = S.I + V.T * Q.I * V
    spread = C * Q.I * C
    information = (LogDet(C) - LogDet(Q)) / 2
    larger = sp.exp(LogDet(C) - LogDet(Q))
    # Groups, and the terms of q_n.
    chis = sp.IndexedBase(sp.Symbol("c", real=True))
    sizes = sp.IndexedBase(sp.Symbol("k", positive=True))
    c1, c2, own, total = sp.symbols("c_1 c_2 alpha omega", positive=True)
    others = sp.Symbol("nu", nonnegative=True)
    excess, first, other, missing, short = (
        sp.IndexedBase(sp.Symbol(name, nonnegative=True)) for name in ("delta", "H", "Y", "nu", "Z")
    )

    def over(term, last):
        return sp.Sum(term, (i, 1, last))

    def log_density(vector, covariance):
        return -(K * sp.log(2 * sp.pi) + LogDet(covariance) + SquaredNorm(vector, covariance.I)) / 2

    def coefficient(order):
        return sp.Subs(sp.Derivative(logarithm, (h, order)) / sp.factorial(order), h, 0)

    def second_moment(integrand):
        return OverAll(OverAll(p(s) * integrand, y), s)

    point = excess[i] + w
    return Derivation(
        name="minibatch-estimates",
        title="Total correlation from minibatches",
        statement=(
            Claim(
                "An estimate of $q(z)$ at the code $z$ of a data point is $q_n(z) = w q(z|x_o) + \\sum_j a_j "
                "q(z|x_j)$, with the own point $x_o$ and $n$ other points of a minibatch of $n + 1$. For weights of "
                "sum one $q_n(z)/q(z)$ deviates from 1 by $w (\\rho_o - 1) + \\sum_j a_j (\\rho_j - 1)$, with the "
                "ratios $\\rho = q(z|x)/q(z)$ of the points.",
                by=("The deviation",),
            ),
            Claim(
                "Let $1 + \\chi$ be the mean of $\\rho_o$. The ratio of another point has the mean 1, and the mean of "
                "$(\\rho_j - 1)^2$ over codes and points is $\\chi$.",
                by=("The ratio of another point",),
            ),
            Claim(
                "For weights of the order $h^2 = 1/(n + 1)$ write $w (\\rho_o - 1) = h^2 u$, of mean $w \\chi$, and "
                "$\\sum_j a_j (\\rho_j - 1) = h \\epsilon$, of mean zero. Then "
                "$\\log(q_n/q) = \\log(1 + h \\epsilon + h^2 u)$ has in $h$ the coefficients 0 of order 0, "
                "$\\epsilon$ of order 1, and $u - \\epsilon^2/2$ of order 2.",
                by=("The deviation", "Order zero", "First order", "Second order"),
            ),
            Claim(
                "Leading order means: up to the order $h^2$, the first one whose mean is not zero. To leading order "
                "the mean of $\\log q_n - \\log q$, the bias of the estimate of $\\log q$, is $\\chi [w - \\sum_j "
                "a_j^2 / 2]$.",
                by=("First order", "Second order", "The mean of the second order", "Independent points"),
            ),
            Claim(
                "For a Gaussian code $1 + \\chi = \\det C / \\det Q = e^{2 j}$, with $j = (\\log\\det C - "
                "\\log\\det Q)/2$ the information that the latents carry.",
                by=("Bayes' rule", "Shift of the code", "The mean of the ratio"),
            ),
            Claim(
                "Weighted by the ratio, $\\log \\rho_o$ has the mean $tr(Q^{-1} V S V^T) + j$.",
                by=(
                    "The posterior of the data",
                    "Codes of large ratio",
                    "The error of a code of large ratio",
                    "Where the mean comes from",
                ),
            ),
            Claim(
                "The stratified estimate has $w = 1/N$ and $a_j = (N-1)/(N n)$, of sum one. Its bias is $\\chi [1/N - "
                "(1 - 1/N)^2/(2 n)]$.",
                by=("Stratified weights", "Bias, stratified"),
            ),
            Claim(
                "The weighted estimate has all weights $1/(N (n + 1))$. It is $1/N$ times that of weights $1/(n + "
                "1)$, so it adds $-\\log N$ to $\\log q_n$ for each set of latents.",
                by=("Offset of the weighted estimate",),
            ),
            Claim(
                "Apart from this offset its bias is $\\chi (n + 2)/(2 (n + 1)^2)$: it is positive and does "
                "not depend on $N$.",
                by=("Bias, weighted", "The weighted bias is positive"),
            ),
            Claim(
                "With $L = \\log N$ the offset of the total correlation between $m$ groups is $(m - 1) L$. With that "
                "of the information, $L$, those within groups of $k_g$ latents, $(k_g - 1) L$, and that of the "
                "divergences of single latents, $-\\sum_g k_g L$, the rate has no offset.",
                by=("Offset between groups", "The rate has no offset"),
            ),
            Claim(
                "With $b$ the bracket and $c_g$ the $\\chi$ of group $g$, the bias of the total correlation between "
                "groups is $b (\\chi - \\sum_g c_g)$.",
                by=("Bias between groups",),
            ),
            Claim(
                "It does not vanish where the groups are independent: for two, of $1 + \\chi = (1 + c_1) (1 + c_2)$, "
                "the factor is $c_1 c_2$.",
                by=("Two independent groups",),
            ),
            Claim(
                "For every code $w q(z|x_o)/q_n(z) \\le 1$, so that no estimate of the information exceeds $-\\log w$.",
                by=("Bound of the ratio", "Bound of the information"),
            ),
            Claim(
                "If two groups are independent given the data and no weight is below $w$, the product of their "
                "estimates is at least $w q_n$: no estimate of their total correlation exceeds $-\\log w$.",
                by=("Bound between groups",),
            ),
            Claim(
                "The total correlation between $m$ groups is the sum of $m - 1$ such terms, each between a group and "
                "those before it: no estimate of it exceeds $-(m - 1) \\log w$.",
                by=("Bound between groups", "Bound for several groups"),
            ),
        ),
        assumptions=(
            "Data points are independent, and independent of the code of another point. The density $q(z)$ of the code "
            "is the mean of $q(z|x)$ over the data, so that the ratio of another point has the mean 1 at every $z$. "
            "The statements hold for all latents, a group or a single one.",
            "The Gaussian code is $q(z|x) = N(V x, Q)$ with $x \\sim N(0, S)$, so that $q(z) = N(0, C)$.",
            "The bias is the mean of the coefficients of an expansion in $h$: it is asymptotic in $n$ and $N$, and the "
            "remainder is not bounded here.",
        ),
        scope=(
            "Ratio, expansion, offsets and bounds for any densities and any numbers of points and groups; $\\chi$ for "
            "Gaussian codes of every $K$ and $D$."
        ),
        matrices=dict.fromkeys((C, Q, S, second), "positive"),
        moments={deviations: second},
        functions=dict.fromkeys((p, f, q, of_error, shifted), "density"),
        steps=(
            Step(
                "The deviation",
                sp.Eq(
                    (1 - over(shares[i], n)) * own_ratio + over(shares[i] * ratios[i], n) - 1,
                    (1 - over(shares[i], n)) * (own_ratio - 1) + over(shares[i] * (ratios[i] - 1), n),
                    evaluate=False,
                ),
                "Here $w = 1 - \\sum_j a_j$ is written out: the weights have the sum one.",
            ),
            Step(
                "The ratio of another point",
                sp.Eq(
                    second_moment(q(y) * (f(y, s) / q(y) - 1) ** 2),
                    second_moment(f(y, s) * (f(y, s) / q(y))) - 1,
                    evaluate=False,
                ),
                "On the left the code $y$ has the density $q(y)$ and the data point $s$ is another one, of density "
                "$p(s)$: it is the mean square of $\\rho_j - 1$. On the right the code has the density $f(y|s)$ of "
                "its own point: the mean of $\\rho_o$, less 1.",
                wrong_form=second_moment(f(y, s) * (f(y, s) / q(y))),
            ),
            Step(
                "Order zero",
                sp.Eq(sp.Subs(logarithm, h, 0), 0, evaluate=False),
                "With $q_n/q = 1 + h \\epsilon + h^2 u$, where $h \\epsilon$ is the deviation by the other points and "
                "$h^2 u$ that by the own point.",
                let=(Let(logarithm, sp.log(1 + h * epsilon + h**2 * u), "the logarithm of $q_n / q$"),),
                wrong_form=epsilon,
            ),
            Step(
                "First order",
                sp.Eq(coefficient(1), epsilon, evaluate=False),
                "The slope of a logarithm at 1 is 1.",
            ),
            Step(
                "Second order",
                sp.Eq(coefficient(2), u - epsilon**2 / 2, evaluate=False),
                "The logarithm is concave, so that the fluctuation of the other points lowers its mean.",
            ),
            Step(
                "The mean of the second order",
                sp.Eq(
                    Expectation(w * chi - SquaredNorm(weights.T * deviations) / 2),
                    w * chi - SquaredNorm(weights, second) / 2,
                    evaluate=False,
                ),
                "The mean of $h^2 u = w (\\rho_o - 1)$ is $w \\chi$, and $h \\epsilon = a^T d$: the vector $d$ has the "
                "entries $\\rho_j - 1$, and $a$ the weights $a_j$; $X$ is the second moment of $d$.",
                wrong_form=w * chi - SquaredNorm(weights, second),
            ),
            Step(
                "Independent points",
                sp.Eq(SquaredNorm(weights, chi * sp.Identity(n)), chi * SquaredNorm(weights), evaluate=False),
                "Given the code the entries of $d$ are independent, and their variances have the mean $\\chi$: $X = "
                "\\chi I$.",
            ),
            Step(
                "Bayes' rule",
                sp.Eq(
                    SquaredNorm(z - V * x, Q.I) + SquaredNorm(x, S.I) - SquaredNorm(z, C.I),
                    SquaredNorm(x - back * z, precision),
                    evaluate=False,
                ),
                "The exponents of $p(x) q(z|x)/q(z)$, the density of the data given the code: it is Gaussian with mean "
                "$F z$. So $1 + \\chi$, the mean of $q(z|x)/q(z)$ over data and codes, is $\\int\\int p(x|z) q(z|x) dx "
                "dz$.",
                let=(AGGREGATE, Let(back, S * V.T * C.I, "the gain of the inference of the data")),
                wrong_form=SquaredNorm(x + back * z, precision),
            ),
            Step(
                "Shift of the code",
                sp.Eq(
                    log_density(z - V * x, Q),
                    log_density(z - C * Q.I * V * (x - back * z), spread) + LogDet(C) - LogDet(Q),
                    evaluate=False,
                ),
                "With the difference $x - F z$ in place of $x$, the density $q(z|x)$ is $\\det C/\\det Q$ times that "
                "of a Gaussian in $z$, of mean $C Q^{-1} V (x - F z)$ and covariance $C Q^{-1} C$.",
                wrong_form=log_density(z - C * Q.I * V * (x - back * z), spread) + LogDet(C) + LogDet(Q),
            ),
            Step(
                "The mean of the ratio",
                sp.Eq(
                    OverAll(OverAll(larger * of_error(s) * shifted(y, s), y), s),
                    larger,
                    evaluate=False,
                ),
                "Here $s$ stands for $x - F z$, with its density $\\phi$ in place of $p(x|z)$, and $\\psi(y|s)$ is "
                "the Gaussian density of the code in the step before: both integrals are one.",
                wrong_form=2 * larger,
            ),
            Step(
                "The posterior of the data",
                sp.Eq(precision * left, sp.Identity(D), evaluate=False),
                "So $\\Omega$ is the covariance of $x - F z$.",
                let=(Let(left, S - S * V.T * C.I * V * S, "the covariance of the data given the code"),),
                wrong_form=S,
            ),
            Step(
                "Codes of large ratio",
                sp.Eq(C * Q.I * (V * left * V.T + Q) * Q.I * C, 2 * spread - C, evaluate=False),
                "Weighted by the ratio, $x - F z$ has the covariance $\\Omega$ and $z = C Q^{-1} V (x - F z)$ plus "
                "noise of covariance $C Q^{-1} C$: the left side is the covariance of $z$.",
                wrong_form=2 * spread + C,
            ),
            Step(
                "The error of a code of large ratio",
                sp.Eq(
                    z - V * x,
                    Q * C.I * (z - C * Q.I * V * (x - back * z)),
                    evaluate=False,
                ),
                "On the right is $Q C^{-1}$ times that noise: $z - V x$ has the covariance $Q C^{-1} (C Q^{-1} C) "
                "C^{-1} Q = Q$.",
                wrong_form=Q * C.I * (z + C * Q.I * V * (x - back * z)),
            ),
            Step(
                "Where the mean comes from",
                sp.Eq(
                    information + (sp.Trace(C.I * (2 * spread - C)) - K) / 2,
                    sp.Trace(Q.I * V * S * V.T) + information,
                    evaluate=False,
                ),
                "The mean of $\\log \\rho_o = [\\log\\det C - \\log\\det Q + z^T C^{-1} z - (z - V x)^T Q^{-1} (z - V "
                "x)]/2$, with the covariances of the last two steps. Its exponential is what `theory` computes as the "
                "scale of a minibatch.",
                wrong_form=sp.Trace(Q.I * V * S * V.T) - information,
            ),
            Step(
                "Stratified weights",
                sp.Eq(1 / N + over((N - 1) / (N * n), n), 1, evaluate=False),
                "The own point has the weight that it has among all data, the others share what remains.",
                wrong_form=sp.Integer(2),
            ),
            Step(
                "Bias, stratified",
                sp.Eq(chi * (1 / N - over(((N - 1) / (N * n)) ** 2, n) / 2), stratified, evaluate=False),
                "Insert the weights.",
            ),
            Step(
                "Offset of the weighted estimate",
                sp.Eq(sp.log(total / (N * (n + 1))), sp.log(total / (n + 1)) - sp.log(N), evaluate=False),
                "$\\omega$ is the sum of $q(z|x)$ over the points of the minibatch.",
            ),
            Step(
                "Bias, weighted",
                sp.Eq(chi * (1 / (n + 1) - over(1 / (n + 1) ** 2, n) / 2), weighted, evaluate=False),
                "The weights are $1/(n + 1)$ after the offset is taken off.",
            ),
            Step(
                "The weighted bias is positive",
                sp.Gt(weighted, 0, evaluate=False),
                "The own point counts for more than the fluctuation of the others.",
            ),
            Step(
                "Offset between groups",
                sp.Eq(-L - over(-L, groups), (groups - 1) * L, evaluate=False),
                "The estimate of $\\log q$ changes by $-L$ for all latents and for each group.",
            ),
            Step(
                "The rate has no offset",
                sp.Eq(
                    L + (groups - 1) * L + over((sizes[i] - 1) * L, groups),
                    over(sizes[i], groups) * L,
                    evaluate=False,
                ),
                "Information, total correlation between and within groups: what the divergences lose.",
            ),
            Step(
                "Bias between groups",
                sp.Eq(chi * b - over(chis[i] * b, groups), (chi - over(chis[i], groups)) * b, evaluate=False),
                "The bias of $\\log q_n$ for all latents less those of the groups.",
            ),
            Step(
                "Two independent groups",
                sp.Eq((1 + c1) * (1 + c2) - 1 - c1 - c2, c1 * c2, evaluate=False),
                "The ratio of two independent groups is a product, and so is its mean $1 + \\chi$.",
            ),
            Step(
                "Bound of the ratio",
                sp.Le(w * own / (w * own + others), 1, evaluate=False),
                "Here $\\alpha$ is the density $q(z|x_o)$ at the own point and $\\nu$ the sum of the other terms: "
                "$q_n = w \\alpha + \\nu$.",
            ),
            Step(
                "Bound of the information",
                sp.Le(sp.log(own / (w * own + others)), -sp.log(w), evaluate=False),
                "The logarithm of a number that is not greater than 1 is not positive. The estimate of the information "
                "is a mean of such logarithms.",
                uses=(Use("Bound of the ratio"), use_log_tangent(w * own / (w * own + others))),
            ),
            Step(
                "Bound between groups",
                sp.Ge(
                    over(point * first[i] * (point * other[i] + missing[i]), n + 1),
                    w * over(point * first[i] * other[i], n + 1),
                    evaluate=False,
                ),
                "The sums run over all $n + 1$ points, of weights $w + \\delta_j$; the two groups have the densities "
                "$H_j$ and $Y_j$ at point $j$. The estimate of the second group is its own term plus the "
                "sum $\\nu_j$ of the others, for each $j$.",
            ),
            Step(
                "Bound for several groups",
                sp.Le(
                    sp.Sum(-sp.log(w) - short[i], (i, 2, groups)),
                    -(groups - 1) * sp.log(w),
                    evaluate=False,
                ),
                "In the term of group $i$, which is $Z_i \\ge 0$ below its bound, $H_j$ is the product of the "
                "densities of the groups before it: the product of their estimates with that of group $i$ is at least "
                "$w q_n$.",
            ),
        ),
        results=(
            "The mean of the ratio",
            "Bias, stratified",
            "Bias, weighted",
            "Offset between groups",
        ),
        sources=(
            Source("chen2018", "the two estimators; bias, scale and bounds for Gaussian codes are this project's"),
        ),
        builds_on=("elbo-parts", "total-correlation", "gibbs-inequality"),
    )
