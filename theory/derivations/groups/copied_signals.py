"""Page: when negative weights leave the grouped objective without a lower bound, because latents copy one signal."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, D, K, Q, S, V, W, n
from theory.derivations.engine.operators import LogDet, OverAll
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import distortion
from theory.derivations.foundations.gibbs_inequality import use_integrand, use_log_tangent
from theory.derivations.foundations.matrix_inequalities import use_product, use_tangent, use_trace


def derivation() -> Derivation:
    B = sp.MatrixSymbol("B", K, K)
    width = sp.HadamardProduct(Q, sp.Identity(K))
    info = sp.Symbol("w_I", positive=True)
    across, inside, single = sp.symbols("w_B w_W w_D", real=True)
    # Densities of any codes: of latents z and of further latents y, given the data x, and without them; of the data.
    x, z, y = sp.symbols("x z y", real=True)
    f, h, q, p, of_data = (sp.Function(name, positive=True) for name in ("f", "h", "q", "p", "phi"))
    some, more = sp.log(f(z, x) / q(z)), OverAll(h(y, x) * sp.log(f(z, x) * h(y, x) / (q(z) * p(y, z))), y)

    # One group: its information, its total correlation within, the number of its latents.
    of_all, of_group = sp.symbols("j_o j_1", positive=True)
    size = sp.Symbol("n_1", integer=True, positive=True)
    within = sp.Symbol("c_1", nonnegative=True)
    a, d, b = sp.symbols("a d b", nonnegative=True)
    gain = sp.Symbol("b_1", real=True)
    groups, i = sp.symbols("m i", integer=True, positive=True)
    informations = sp.IndexedBase(sp.Symbol("j", nonnegative=True))
    correlations = sp.IndexedBase(sp.Symbol("c", nonnegative=True))
    gains, missing = (sp.IndexedBase(sp.Symbol(name, nonnegative=True)) for name in "ds")
    group_bounds = (size >= 1 + within / of_group, inside >= -a)

    def over_groups(term):
        return sp.Sum(term, (i, 1, groups))

    # Copies of one signal.
    epsilon, v, alpha, bound, count = sp.symbols("epsilon v alpha lambda kappa", positive=True)
    signal = sp.MatrixSymbol("u", n, 1)
    copied = (1 - epsilon) * n * signal * signal.T + epsilon * sp.Identity(n)
    copies = sp.IndexedBase(sp.Symbol("k", positive=True))
    carried = sp.Function("psi")(count)

    def of(number):
        return carried.func(number)

    cost = (info - across) * of(n) + over_groups(
        across * of(copies[i]) + inside * (copies[i] * of(sp.Integer(1)) - of(copies[i]))
    )
    leading = info - across + over_groups(across + inside * (copies[i] - 1))

    def spread(number):
        return sp.log(epsilon + number * (1 - epsilon))

    rest = (info - across) * spread(n) + over_groups((across - inside) * spread(copies[i]))
    information = (LogDet(C) - LogDet(width)) / 2
    in_groups = (LogDet(sp.HadamardProduct(C, B)) - LogDet(sp.HadamardProduct(width, B))) / 2
    diagonal = sp.HadamardProduct(C, sp.Identity(K))
    alone = (LogDet(diagonal) - LogDet(width)) / 2
    all_within = (LogDet(diagonal) - LogDet(sp.HadamardProduct(C, B))) / 2
    parts = (
        info * (LogDet(C) - LogDet(width))
        + across * (LogDet(sp.HadamardProduct(C, B)) - LogDet(C))
        + inside * (LogDet(diagonal) - LogDet(sp.HadamardProduct(C, B)))
    ) / 2
    one = sp.Identity(D)
    given = "More latents carry more information at one point"
    return Derivation(
        name="copied-signals",
        title="Negative weights: copies of one signal",
        statement=(
            Claim(
                "With a diagonal posterior let $j_o$ be the information that all latents carry, $j_g$ that of group "
                "$g$, and $c_g$ the total correlation within the group. Then $j_g + c_g$, summed over the groups, is "
                "the sum of the informations of all single latents.",
                by=("The informations of single latents",),
            ),
            Claim(
                "Information and total correlation have in the objective the weighted sum $(w_I - w_B) j_o + \\sum_g "
                "(w_B j_g + w_W c_g)$.",
                by=("Linear in the information", "The informations of single latents", "Group by group"),
            ),
            Claim(
                "More latents carry more information, so that $j_g \\le j_o$, and each latent of a group carries at "
                "most $j_g$.",
                by=("More latents carry more information",),
            ),
            Claim(
                "So the $n_g$ latents of a group have a total correlation of at most $(n_g - 1) j_g$.",
                by=("The total correlation within a group",),
            ),
            Claim(
                "No total correlation is negative: $c_g \\ge 0$ and $\\sum_g j_g \\ge j_o$.",
                by=("hadamard-gap: The gap is not negative", "The groups carry more together"),
            ),
            Claim(
                "Let $a = \\max(0, -w_W)$, $b_g = w_B - a (n_g - 1)$ and $d_g = "
                "\\max(0, -b_g)$. Then $w_B j_g + w_W c_g \\ge -d_g j_o$.",
                by=("The gain of one group",),
            ),
            Claim(
                "If $b \\ge 0$ is the least $b_g$, then $w_B j_g + w_W c_g \\ge b j_g$.",
                by=("The cost of one group",),
            ),
            Claim(
                "So the weighted sum is at least $(w_I - w_B - \\sum_g d_g) j_o$, and if no $b_g$ is negative at "
                "least $(w_I - w_B + b) j_o$.",
                by=(
                    "The gain of one group",
                    "The gains of all groups",
                    "The cost of one group",
                    "The costs of all groups",
                    "The groups carry more together",
                ),
            ),
            Claim(
                "With a fixed noise and $w_D \\ge 0$ the objective of a learned decoder has a lower bound if the "
                "first of these factors of $j_o$ is not negative, or if no $b_g$ is negative and the second factor is "
                "not: neither the distortion nor the divergences of single latents are negative.",
                by=(
                    "The gains of all groups",
                    "The costs of all groups",
                    "The groups carry more together",
                    "Distortion is not negative",
                    "Divergences of single latents are not negative",
                ),
            ),
            Claim(
                "Copy one signal to $n$ latents in $m$ groups, $k_g \\ge 1$ of them in group $g$, each with noise of "
                "variance $\\epsilon < 1$. The weighted sum is $-\\log(\\epsilon)/2$ times "
                "$w_I - w_B + \\sum_g [w_B + w_W (k_g - 1)]$, plus a rest.",
                by=("The information of copies", "One signal in many latents"),
            ),
            Claim(
                "The rest has a bound that does not depend on $\\epsilon$: its logarithms lie between 0 and $\\log n$, "
                "or $\\log k_g$.",
                by=("The rest is bounded below", "The rest is bounded above"),
            ),
            Claim(
                "With all latents of the groups of negative $b_g$ if $w_W < 0$, and one of each otherwise, the factor "
                "is $w_I - w_B - \\sum_g d_g$; with the group of the least $b_g$ alone it is $w_I - w_B + b$. If it "
                "is negative, the objective falls below every bound as $\\epsilon$ falls to zero.",
                by=(
                    "One signal in many latents",
                    "The rest is bounded below",
                    "The rest is bounded above",
                    "Below every bound",
                ),
            ),
            Claim(
                "If $w_D < 0$ a latent of variance $v$ without information makes the objective fall below every bound "
                "as $v$ grows: its divergence has the weighted value $w_D (v - 1 - \\log v)/2 \\le w_D (v/2 - \\log "
                "2)/2$.",
                by=("Scaling one latent",),
            ),
            Claim(
                "So the objective has no lower bound if $w_D < 0$, or if some $b_g$ is negative and $w_I - w_B - "
                "\\sum_g d_g < 0$, or if none is and $w_I - w_B + b < 0$; and it has one in every other case.",
                by=(
                    "The gain of one group",
                    "The gains of all groups",
                    "The cost of one group",
                    "The costs of all groups",
                    "The groups carry more together",
                    "Distortion is not negative",
                    "Divergences of single latents are not negative",
                    "One signal in many latents",
                    "The rest is bounded below",
                    "The rest is bounded above",
                    "Below every bound",
                    "Scaling one latent",
                ),
            ),
        ),
        assumptions=(
            "The weights of information, of total correlation between and within groups, and of the divergences of "
            "single latents are $w_I$, $w_B$, $w_W$ and $w_D$. The code has the covariance $C$, and $B$ is one inside "
            "the groups and zero outside.",
            "The data vary. A signal is a linear function of the data of variance 1; a copy is $\\sqrt{1-\\epsilon}$ "
            "times the signal plus noise of variance $\\epsilon$, so that its divergence from the prior vanishes. All "
            "other latents are noise of variance 1. With the decoder zero the distortion is $tr S$ for each such code.",
            "A latent without information adds nothing to the other parts. A group with $j_g = 0$ has $c_g = 0$, as "
            "$c_g \\le (n_g - 1) j_g$.",
        ),
        scope="Every number of latents and groups. More latents carry more information for any densities of codes.",
        matrices=dict.fromkeys((C, Q, S), "positive") | {B: "partition", signal: "orthogonal"},
        functions=dict.fromkeys((f, h, q, p, of_data), "density"),
        steps=(
            Step(
                "Linear in the information",
                sp.Eq(
                    parts,
                    (info - across) * information + (across - inside) * in_groups + inside * alone,
                    evaluate=False,
                ),
                "As the posterior covariance $Q \\circ I$ is diagonal, it is the same in the blocks of the groups and "
                "in the diagonal. The three differences are $j_o$, $\\sum_g j_g$ and the sum of the informations of "
                "all single latents.",
                wrong_form=(info + across) * information + (across - inside) * in_groups + inside * alone,
            ),
            Step(
                "The informations of single latents",
                sp.Eq(in_groups + all_within, alone, evaluate=False),
                "The second difference is $\\sum_g c_g$, since $\\log\\det(C \\circ B)$ is the sum of those of the "
                "groups.",
                wrong_form=in_groups - all_within,
            ),
            Step(
                "Group by group",
                sp.Eq(
                    (info - across) * of_all
                    + (across - inside) * over_groups(informations[i])
                    + inside * over_groups(informations[i] + correlations[i]),
                    (info - across) * of_all + over_groups(across * informations[i] + inside * correlations[i]),
                    evaluate=False,
                ),
                "The sum of the informations of all single latents is $\\sum_g (j_g + c_g)$.",
            ),
            Step(
                given,
                sp.Ge(more, some, evaluate=False),
                "Given the data $x$ the latents $z$ have the density $f(z|x)$ and, independently, further latents $y$ "
                "the density $h(y|x)$; without the data these are $q(z)$ and, given $z$, $p(y|z)$.",
                uses=(use_integrand(h(y, x), p(y, z), over=y),),
            ),
            Step(
                "More latents carry more information given the data",
                sp.Ge(OverAll(f(z, x) * more, z), OverAll(f(z, x) * some, z), evaluate=False),
                "The mean over $z$, of the step before.",
                uses=(Use(given, times=f(z, x), over=z),),
            ),
            Step(
                "More latents carry more information",
                sp.Ge(
                    OverAll(of_data(x) * OverAll(f(z, x) * more, z), x),
                    OverAll(of_data(x) * OverAll(f(z, x) * some, z), x),
                    evaluate=False,
                ),
                "The mean over the data, of density $\\phi(x)$: on the left the information that $z$ and $y$ carry, "
                "on the right that of $z$ alone.",
                uses=(Use("More latents carry more information given the data", times=of_data(x), over=x),),
            ),
            Step(
                "The total correlation within a group",
                sp.Le(sp.Sum(of_group - missing[i], (i, 1, size)) - of_group, (size - 1) * of_group, evaluate=False),
                "Latent $i$ of the group carries $s_i$ less than the group, and the total correlation within is the "
                "sum of what the $n_1$ latents carry less $j_1$.",
            ),
            Step(
                "The groups carry more together",
                sp.Ge(in_groups, information, evaluate=False),
                "The difference is the total correlation between groups, half of a Hadamard gap.",
                uses=(use_tangent(C, sp.HadamardProduct(C, B), times=sp.Rational(1, 2)),),
            ),
            Step(
                "The gain of one group",
                sp.Ge((gain + a * (size - 1)) * of_group + inside * within, -d * of_all, evaluate=False),
                "Here $w_B = b_1 + a (n_1 - 1)$, and the first condition is $c_1 \\le (n_1 - 1) j_1$. So $w_W c_1 \\ge "
                "-a c_1 \\ge -a (n_1 - 1) j_1$, and $b_1 j_1 \\ge -d j_1 \\ge -d j_o$.",
                where=(*group_bounds, of_group <= of_all, gain >= -d),
            ),
            Step(
                "The cost of one group",
                sp.Ge((gain + a * (size - 1)) * of_group + inside * within, b * of_group, evaluate=False),
                "The same, with $b_1 j_1 \\ge b j_1$ at the end.",
                where=(*group_bounds, gain >= b),
            ),
            Step(
                "The gains of all groups",
                sp.Eq(
                    (info - across) * of_all + over_groups(-gains[i] * of_all),
                    (info - across - over_groups(gains[i])) * of_all,
                    evaluate=False,
                ),
                "The sum of the lower bounds of all groups, with the first term of the weighted sum.",
            ),
            Step(
                "The costs of all groups",
                sp.Eq(
                    (info - across) * of_all + over_groups(b * informations[i]),
                    (info - across + b) * of_all + b * (over_groups(informations[i]) - of_all),
                    evaluate=False,
                ),
                "The same with the other lower bound; the last term is not negative, as the groups carry more "
                "together.",
            ),
            Step(
                "Distortion is not negative",
                sp.Ge(distortion(), 0, evaluate=False),
                "It is the expected squared error.",
                uses=(use_trace(one, one - W * V, S), use_trace(one, W, Q)),
            ),
            Step(
                "Divergences of single latents are not negative",
                sp.Ge((sp.Trace(C) - K - LogDet(diagonal)) / 2, 0, evaluate=False),
                "The trace sees only the diagonal $C \\circ I$, and no logarithm lies above its tangent at 1.",
                uses=(use_product(sp.Identity(K), diagonal, times=sp.Rational(1, 2)),),
            ),
            Step(
                "The information of copies",
                sp.Eq((LogDet(copied) - n * sp.log(epsilon)) / 2, carried.func(n), evaluate=False),
                "Here $u$ is the vector with the entries $n^{-1/2}$, so that $n u u^T$ has the entries 1: $n$ "
                "copies have variances 1 and covariances $1 - \\epsilon$.",
                let=(
                    Let(
                        carried, sp.log(1 + count * (1 - epsilon) / epsilon) / 2, "the information of $\\kappa$ copies"
                    ),
                ),
                where=(epsilon < 1,),
            ),
            Step(
                "One signal in many latents",
                sp.Eq(cost, -leading * sp.log(epsilon) / 2 + rest / 2, evaluate=False),
                "The information of one copy is $-\\log(\\epsilon)/2$, and the total correlation of $k_g$ copies is "
                "$k_g$ times this less their information.",
                where=(epsilon < 1,),
            ),
            Step(
                "The rest is bounded below",
                sp.Ge(spread(n), 0, evaluate=False),
                "$\\epsilon + n (1 - \\epsilon)$ lies between 1 and $n$.",
                where=(epsilon < 1,),
            ),
            Step(
                "The rest is bounded above",
                sp.Ge(sp.log(n / (epsilon + n * (1 - epsilon))), 0, evaluate=False),
                "So $\\log(\\epsilon + n (1 - \\epsilon)) \\le \\log n$; both hold for $k_g$ in place of $n$.",
                where=(epsilon < 1,),
            ),
            Step(
                "Below every bound",
                sp.Eq(
                    sp.Subs(alpha * sp.log(epsilon) / 2, epsilon, sp.exp(-2 * bound / alpha)), -bound, evaluate=False
                ),
                "For a factor $-\\alpha$ the leading term is $\\alpha \\log(\\epsilon)/2$, which reaches any "
                "$-\\lambda$.",
            ),
            Step(
                "Scaling one latent",
                sp.Le(single * (v - 1 - sp.log(v)) / 2, single * (v / 2 - sp.log(2)) / 2, evaluate=False),
                "As $\\log(v/2) \\le v/2 - 1$.",
                where=(single < 0,),
                uses=(use_log_tangent(v / 2, times=-single / 2),),
            ),
        ),
        results=("One signal in many latents",),
        sources=(Source("chen2022", "the subject; the result is this project's"),),
        builds_on=("total-correlation", "hadamard-gap", "gibbs-inequality", "matrix-inequalities"),
    )
