"""Page: estimates of total correlation from minibatches: their offset, bias and bounds."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    N, M, v, h, chi = sp.symbols("N M v h chi", positive=True)
    p, k, w, d, a1, a2, b1, b2 = sp.symbols("p k w d a_1 a_2 b_1 b_2", positive=True)
    m, y, z, u, e, L = sp.symbols("m y z u e L", real=True)
    B, S1, S2 = sp.symbols("B S_1 S_2", real=True)
    G, g = sp.symbols("G g", integer=True, positive=True)
    T = sp.MatrixSymbol("T", K, K)
    f = sp.Function("f")(h)
    power = sp.Function("l")(p)
    wide = 1 + v + p * v
    mean = ((p + 1) * sp.log(1 + v) - sp.log(1 + v - v * p**2)) / 2
    stratified = chi * (1 / N - (1 - 1 / N) ** 2 / (2 * (M - 1)))
    return Derivation(
        name="minibatch-estimates",
        title="Total correlation from minibatches",
        statement=(
            Claim(
                "With $q_M(z_i) = w q(z_i|x_i) + \\sum_j w_j q(z_i|x_j)$ over a minibatch of $M$ of $N$ "
                "points, $E \\log q_M - E \\log q$ is, to leading order, $\\chi [w - \\sum_j w_j^2 / 2]$.",
                by=(
                    "Mean of the ratio",
                    "Expansion of the logarithm",
                    "Bias, stratified",
                ),
                argued=True,
            ),
            Claim(
                "Here $1 + \\chi = \\det C / \\det Q = e^{2 I}$.",
                by=(
                    "Mean of a power of the ratio",
                    "Mean of the ratio",
                    "All latents",
                ),
                argued=True,
            ),
            Claim(
                "The weights $1/(N M)$ add an offset of $-\\log N$ for each set of latents.",
                by=(
                    "Bias, weighted",
                    "Offset between groups",
                ),
                argued=True,
            ),
            Claim(
                "For every code $q(z|x)/q_M(z) \\le 1/w$.",
                by=("Bound of the information",),
            ),
            Claim(
                "So no estimate of the information exceeds $-\\log w$.",
                by=("Bound of the information",),
                argued=True,
            ),
        ),
        assumptions=(
            "Data points are independent and Gaussian, $q(z|x) = N(V x, Q)$; everything holds for all latents, a group "
            "or a single one.",
            "The bias is the second order of an expansion in the deviation of $q_M / q$ from 1: asymptotic in $M$ "
            "and $N$.",
        ),
        scope=(
            "The mean of the ratio for one latent of unit posterior variance, and for every $K$ by an invertible $T$ "
            "that makes $Q$ the identity and $C$ diagonal; the expansion term by term, without a bound on the "
            "remainder; the bound between groups for two points and two groups."
        ),
        matrices=dict.fromkeys((C, Q), "positive") | {T: "invertible"},
        steps=(
            Step(
                "Gaussian integral",
                sp.Eq(sp.Integral(sp.exp(-k * y**2 / 2), (y, -sp.oo, sp.oo)), sp.sqrt(2 * sp.pi / k), evaluate=False),
                "Used twice below.",
            ),
            Step(
                "Exponent over codes",
                sp.Eq(
                    -(1 + p) * (z - m) ** 2 / 2 + p * z**2 / (2 * (1 + v)),
                    -wide * (z - (1 + p) * (1 + v) * m / wide) ** 2 / (2 * (1 + v)) + p * (1 + p) * m**2 / (2 * wide),
                    evaluate=False,
                ),
                "One latent, $q(z|x) = N(m, 1)$ with $m \\sim N(0, v)$: the exponent of $q(z|x) r^p$, $r = q(z|x) / "
                "q(z)$, a square in $z$ and a remainder.",
            ),
            Step(
                "Exponent over points",
                sp.Eq(
                    p * (1 + p) * m**2 / (2 * wide) - m**2 / (2 * v),
                    -(1 + v - v * p**2) * m**2 / (2 * v * wide),
                    evaluate=False,
                ),
                "The mean is finite for $v p^2 < 1 + v$, so always at $p = 1$, but at $p = 2$ for $3 v < 1$ only.",
            ),
            Step(
                "Mean of a power of the ratio",
                sp.Eq(
                    (p * sp.log(1 + v) - sp.log(v) + sp.log((1 + v) / wide) + sp.log(v * wide / (1 + v - v * p**2)))
                    / 2,
                    mean,
                    evaluate=False,
                ),
                "Its logarithm, from the normalisations and the two integrals; their powers of $2 \\pi$ cancel.",
                where=(p**2 * v < 1 + v,),
            ),
            Step(
                "Mean of the ratio",
                sp.Eq(sp.Subs(power, p, 1), sp.log(1 + v), evaluate=False),
                "So $1 + \\chi = 1 + v$: on average the density of a code given its own point is this multiple of its "
                "density in the aggregate. The same integral is $E_z E_x r^2$ for another point $x$, whose ratio has "
                "mean 1 and hence variance $\\chi$.",
                let=(Let(power, mean, "the logarithm of the mean of $r^p$"),),
            ),
            Step(
                "Where the mean comes from",
                sp.Eq(sp.Subs(sp.Derivative(power, p), p, 1), v + sp.log(1 + v) / 2, evaluate=False),
                "The mean of $\\log r$ weighted by $r$: $tr Q^{-1} V S V^T + I$ for all latents. Its exponential is "
                "about the number of points that a sample needs to contain the codes that dominate $\\chi$.",
            ),
            Step(
                "All latents",
                sp.Eq(LogDet(T * C * T.T) - LogDet(T * Q * T.T), LogDet(C) - LogDet(Q), evaluate=False),
                "The ratio is the same for the code $T z$. With $T Q T^T = I$ and $T C T^T$ diagonal it is a "
                "product, and its mean $\\prod (1 + v_k) = \\det C / \\det Q = e^{2 I}$.",
                wrong_form=LogDet(C) - LogDet(Q) / 2,
            ),
            Step(
                "Expansion of the logarithm",
                sp.Eq(
                    sp.Subs(sp.Derivative(f, (h, 2)) / 2, h, 0),
                    w * u - e**2 / 2,
                    evaluate=False,
                ),
                "The deviation $e = \\sum_j w_j (r_j - 1)$ of the other points is of order $h$, the weight of the own "
                "point, whose ratio deviates by $u$, of order $h^2$. The first order, $e$, has mean zero.",
                let=(Let(f, sp.log(1 + h * e + h**2 * w * u), "the logarithm of $q_M / q$"),),
            ),
            Step(
                "Bias, stratified",
                sp.Eq(
                    sp.Subs(w * S1 - S2 / 2, (w, S1, S2), (1 / N, chi, (M - 1) * ((N - 1) / (N * (M - 1))) ** 2 * chi)),
                    stratified,
                    evaluate=False,
                ),
                "The means: $S_1 = E u = \\chi$ and $S_2 = E e^2 = \\sum_j w_j^2 \\chi$, for weights $1/N$ and "
                "$(N-1)/(N (M-1))$.",
                where=(M > 1,),
            ),
            Step(
                "Bias, weighted",
                sp.Eq(sp.Subs(stratified, N, M), chi * (M + 1) / (2 * M**2), evaluate=False),
                "Weights $1/(N M)$ are those of the stratified estimate of $M$ points of a data set of $M$, times "
                "$1/N$: apart from the offset the bias does not depend on $N$, and it is positive.",
                where=(M > 1,),
            ),
            Step(
                "Offset between groups",
                sp.Eq(-L - sp.Sum(-L, (g, 1, G)), (G - 1) * L, evaluate=False),
                "$L = \\log N$, which the estimate of $\\log q$ lacks for all latents and for each group. Likewise the "
                "information gains $L$, the part within a group of $k$ latents $(k-1) L$, the divergences of single "
                "latents $-K L$: the rate does not change.",
                sizes=({G: 2}, {G: 3}),
            ),
            Step(
                "Bias between groups",
                sp.Eq(
                    chi * B - sp.Sum(sp.IndexedBase(sp.Symbol("c", real=True))[g] * B, (g, 1, G)),
                    (chi - sp.Sum(sp.IndexedBase(sp.Symbol("c", real=True))[g], (g, 1, G))) * B,
                    evaluate=False,
                ),
                "$B$ is the bracket, $c_g$ the $\\chi$ of a group. With independent groups $1 + \\chi = \\prod (1 + "
                "c_g)$: the bias does not vanish where the total correlation does.",
                sizes=({G: 2}, {G: 3}),
            ),
            Step(
                "Bound of the information",
                sp.Ge((w * a1 + a2) / a1, w, evaluate=False),
                "$a_1$ is the density at the own point and $a_2$ the sum of the other terms: $q(z|x) / q_M(z) \\le "
                "1/w$, for every code.",
            ),
            Step(
                "Bound between groups",
                sp.Ge(
                    (w * a1 + (w + d) * a2) * (w * b1 + (w + d) * b2),
                    w * (w * a1 * b1 + (w + d) * a2 * b2),
                    evaluate=False,
                ),
                "Two points of weights $w$ and $w + d$, and groups with densities $a$ and $b$ that are independent "
                "given the point: $q_M(z) / [q_M(z_1) q_M(z_2)] \\le 1/w$. Each further group adds a factor.",
            ),
        ),
        results=(
            "Mean of the ratio",
            "Bias, stratified",
            "Bias, weighted",
            "Offset between groups",
        ),
        sources=(
            Source("chen2018", "the two estimators; bias, scale and bounds for Gaussian codes are this project's"),
        ),
        builds_on=("total-correlation",),
    )
