"""Page: when negative weights leave the grouped objective without a lower bound, because latents copy one signal."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, W, n
from theory.derivations.engine.operators import LogDet, OverAll
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import distortion
from theory.derivations.foundations.matrix_inequalities import use_trace


def derivation() -> Derivation:
    B = sp.MatrixSymbol("B", K, K)
    width = sp.HadamardProduct(Q, sp.Identity(K))
    info = sp.Symbol("w_I", positive=True)
    across, inside, single = sp.symbols("w_B w_W w_D", real=True)
    # Densities of any codes: of group u and of further latents y, given the data x, and in the aggregate.
    x, u, y = sp.symbols("x u y", real=True)
    f, h, g, p = (sp.Function(name, positive=True) for name in "fhgp")
    whole, group = f(u, x) * h(y, x), g(u) * p(y, u)

    # One group: its information, its total correlation within, the number of its latents.
    J, of_group, size = sp.symbols("J j_1 n_1", positive=True)
    within = sp.Symbol("T_1", nonnegative=True)
    m, d, b = sp.symbols("m d b", nonnegative=True)
    gain = sp.Symbol("b_1", real=True)
    groups, i = sp.symbols("G i", integer=True, positive=True)
    informations = sp.IndexedBase(sp.Symbol("j", nonnegative=True))
    correlations = sp.IndexedBase(sp.Symbol("T", nonnegative=True))
    group_bounds = (size >= 1 + within / of_group, inside >= -m)

    def over_groups(term):
        return sp.Sum(term, (i, 1, groups))

    # Copies of one signal.
    e, c, alpha, bound, s = sp.symbols("e c alpha a s", positive=True)
    signal = sp.MatrixSymbol("v", n, 1)
    copied = (1 - e) * n * signal * signal.T + e * sp.Identity(n)
    copies = sp.IndexedBase(sp.Symbol("k", positive=True))
    carried = sp.Function("r")(s)

    def of(count):
        return carried.func(count)

    cost = (info - across) * of(n) + over_groups(
        across * of(copies[i]) + inside * (copies[i] * of(sp.Integer(1)) - of(copies[i]))
    )
    leading = info - across + over_groups(across + inside * (copies[i] - 1))

    def spread(count):
        return sp.log(e + count * (1 - e))

    rest = (info - across) * spread(n) + over_groups((across - inside) * spread(copies[i]))
    information = (LogDet(C) - LogDet(width)) / 2
    in_groups = (LogDet(sp.HadamardProduct(C, B)) - LogDet(sp.HadamardProduct(width, B))) / 2
    alone = (LogDet(sp.HadamardProduct(C, sp.Identity(K))) - LogDet(width)) / 2
    parts = (
        info * (LogDet(C) - LogDet(width))
        + across * (LogDet(sp.HadamardProduct(C, B)) - LogDet(C))
        + inside * (LogDet(sp.HadamardProduct(C, sp.Identity(K))) - LogDet(sp.HadamardProduct(C, B)))
    ) / 2
    one = sp.Identity(D)
    gibbs = "gibbs-inequality: The logarithm lies below its tangent"
    a = sp.Symbol("a", positive=True)
    return Derivation(
        name="copied-signals",
        title="Negative weights: copies of one signal",
        statement=(
            Claim(
                "With a diagonal posterior let $J$ be the information that all latents carry, $j_g$ that of group $g$, "
                "and $T_g$ the total correlation within the group, so that $j_g + T_g$ is the sum of the informations "
                "of its latents. Information and total correlation have in the objective the sum $(w_I - w_B) J + "
                "\\sum_g (w_B j_g + w_W T_g)$.",
                by=("Linear in the information", "Group by group"),
            ),
            Claim(
                "More latents carry more information: $j_g \\le J$, and each latent of a group carries at most $j_g$, "
                "so that $T_g \\le (n_g - 1) j_g$ for $n_g$ latents.",
                by=("More latents carry more information",),
            ),
            Claim(
                "No total correlation is negative: $T_g \\ge 0$ and $\\sum_g j_g \\ge J$.",
                by=("hadamard-gap: The gap is not negative",),
            ),
            Claim(
                "Let $m = \\max(0, -w_W)$, $b_g = w_B - m (n_g - 1)$ and $d_g = \\max(0, -b_g)$. Then $w_B j_g + w_W "
                "T_g \\ge -d_g J$.",
                by=("The gain of one group",),
            ),
            Claim(
                "If $b \\ge 0$ is the least $b_g$, then $w_B j_g + w_W T_g \\ge b j_g$.",
                by=("The cost of one group",),
            ),
            Claim(
                "So with a fixed noise and $w_D \\ge 0$ the objective of a learned decoder has a lower bound if $w_I - "
                "w_B - \\sum_g d_g \\ge 0$, and also if no $b_g$ is negative and $w_I - w_B + b \\ge 0$, as $\\sum_g "
                "j_g \\ge J$: the sum above is not negative, nor are the distortion and the divergences of single "
                "latents.",
                by=(
                    "Group by group",
                    "The gain of one group",
                    "The cost of one group",
                    "Distortion is not negative",
                    "total-correlation: No weight lowers the objective",
                ),
            ),
            Claim(
                "Copy one signal to $n$ latents, $k_g$ of them in group $g$ of $G$ groups, each with noise of variance "
                "$e < 1$. The sum above is $-\\log(e)/2$ times $w_I - w_B + \\sum_g [w_B + w_W (k_g - 1)]$, plus a "
                "rest.",
                by=("The information of copies", "One signal in many latents"),
            ),
            Claim(
                "The rest has a bound that does not depend on $e$: its logarithms lie between 0 and $\\log n$, or "
                "$\\log k_g$.",
                by=("The rest is bounded below", "The rest is bounded above"),
            ),
            Claim(
                "With all latents of the groups of negative $b_g$ if $w_W < 0$, and one of each otherwise, the factor "
                "is $w_I - w_B - \\sum_g d_g$; with the group of the least $b_g$ alone it is $w_I - w_B + b$. If it is "
                "negative, the objective falls below every bound as $e$ falls to zero.",
                by=(
                    "One signal in many latents",
                    "The rest is bounded below",
                    "The rest is bounded above",
                    "Below every bound",
                ),
            ),
            Claim(
                "If $w_D < 0$ a latent of variance $c$ without information makes the objective fall below every bound "
                "as $c$ grows: its divergence has the weighted value $w_D (c - 1 - \\log c)/2 \\le w_D (c/2 - \\log "
                "2)/2$.",
                by=("Scaling one latent",),
            ),
            Claim(
                "So the objective has no lower bound if $w_D < 0$, or if some $b_g$ is negative and $w_I - w_B - "
                "\\sum_g d_g < 0$, or if none is and $w_I - w_B + b < 0$; and it has one in every other case.",
                by=(
                    "Group by group",
                    "The gain of one group",
                    "The cost of one group",
                    "Distortion is not negative",
                    "total-correlation: No weight lowers the objective",
                    "One signal in many latents",
                    "The rest is bounded below",
                    "The rest is bounded above",
                    "Below every bound",
                    "Scaling one latent",
                ),
            ),
        ),
        assumptions=(
            "The data vary. A signal is a linear function of the data of variance 1; a copy is $\\sqrt{1-e}$ times the "
            "signal plus noise of variance $e$, so that its divergence from the prior vanishes. All other latents are "
            "noise of variance 1. With the decoder zero the distortion is $tr S$ for each such code.",
            "A latent without information adds nothing to the other parts. A group with $j_g = 0$ has $T_g = 0$.",
        ),
        scope="Every number of latents and groups; the second statement for any densities of codes.",
        matrices=dict.fromkeys((C, Q, S), "positive") | {B: "partition", signal: "orthogonal"},
        functions=dict.fromkeys((f, h, g, p), "density"),
        steps=(
            Step(
                "Linear in the information",
                sp.Eq(
                    parts,
                    (info - across) * information + (across - inside) * in_groups + inside * alone,
                    evaluate=False,
                ),
                "As the posterior covariance $Q \\circ I$ is diagonal, its determinant is the same in $C$, in the "
                "blocks of the groups and in the diagonal. The three differences are $J$, $\\sum_g j_g$ and the sum "
                "over all latents.",
                wrong_form=(info + across) * information + (across - inside) * in_groups + inside * alone,
            ),
            Step(
                "Group by group",
                sp.Eq(
                    (info - across) * J
                    + (across - inside) * over_groups(informations[i])
                    + inside * over_groups(informations[i] + correlations[i]),
                    (info - across) * J + over_groups(across * informations[i] + inside * correlations[i]),
                    evaluate=False,
                ),
                "The sum over all latents is $\\sum_g (j_g + T_g)$.",
            ),
            Step(
                "More latents carry more information",
                sp.Ge(OverAll(h(y, x) * sp.log(whole / group), y), sp.log(f(u, x) / g(u)), evaluate=False),
                "Given the data the latents $u$ have the density $f(u|x)$ and, independently, further latents $y$ the "
                "density $h(y|x)$; without the data $g(u)$ and $p(y|u)$. The mean of the right side over $u$ and $x$ "
                "is the information that $u$ carries, that of the left side the information of both.",
                uses=(
                    Use(
                        "gibbs-inequality: The integrand", {a: h(y, x), sp.Symbol("b", positive=True): p(y, u)}, over=y
                    ),
                ),
            ),
            Step(
                "The gain of one group",
                sp.Ge((gain + m * (size - 1)) * of_group + inside * within, -d * J, evaluate=False),
                "Here $w_B = b_1 + m (n_1 - 1)$, and the first condition is $T_1 \\le (n_1 - 1) j_1$. So $w_W T_1 \\ge "
                "-m T_1 \\ge -m (n_1 - 1) j_1$, and $b_1 j_1 \\ge -d j_1 \\ge -d J$.",
                where=(*group_bounds, of_group <= J, gain >= -d),
            ),
            Step(
                "The cost of one group",
                sp.Ge((gain + m * (size - 1)) * of_group + inside * within, b * of_group, evaluate=False),
                "As before, with $b_1 \\ge b$.",
                where=(*group_bounds, gain >= b),
            ),
            Step(
                "Distortion is not negative",
                sp.Ge(distortion(), 0, evaluate=False),
                "It is the expected squared error.",
                uses=(use_trace(one, one - W * V, S), use_trace(one, W, Q)),
            ),
            Step(
                "The information of copies",
                sp.Eq((LogDet(copied) - n * sp.log(e)) / 2, carried.func(n), evaluate=False),
                "Here $v$ is the vector with the entries $n^{-1/2}$, so that $n v v^T$ has the entries 1: $n$ "
                "copies have variances 1 and covariances $1 - e$.",
                let=(Let(carried, sp.log(1 + s * (1 - e) / e) / 2, "the information of $s$ copies"),),
                where=(e < 1,),
            ),
            Step(
                "One signal in many latents",
                sp.Eq(cost, -leading * sp.log(e) / 2 + rest / 2, evaluate=False),
                "The information of one copy is $-\\log(e)/2$.",
                where=(e < 1,),
            ),
            Step(
                "The rest is bounded below",
                sp.Ge(spread(n), 0, evaluate=False),
                "$e + n (1 - e)$ lies between 1 and $n$.",
                where=(e < 1,),
            ),
            Step(
                "The rest is bounded above",
                sp.Ge(sp.log(n / (e + n * (1 - e))), 0, evaluate=False),
                "So $\\log(e + n (1 - e)) \\le \\log n$; both hold for $k_g$ in place of $n$.",
                where=(e < 1,),
            ),
            Step(
                "Below every bound",
                sp.Eq(sp.Subs(alpha * sp.log(e) / 2, e, sp.exp(-2 * bound / alpha)), -bound, evaluate=False),
                "For a factor $-\\alpha$ the leading term is $\\alpha \\log(e)/2$, which reaches any $-a$.",
            ),
            Step(
                "Scaling one latent",
                sp.Le(single * (c - 1 - sp.log(c)) / 2, single * (c / 2 - sp.log(2)) / 2, evaluate=False),
                "As $\\log(c/2) \\le c/2 - 1$.",
                where=(single < 0,),
                uses=(Use(gibbs, {a: c / 2}, times=-single / 2),),
            ),
        ),
        results=("One signal in many latents",),
        sources=(Source("chen2022", "the subject; the result is this project's"),),
        builds_on=("total-correlation", "hadamard-gap", "gibbs-inequality", "matrix-inequalities"),
    )
