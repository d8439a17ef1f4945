"""Page: the chain rule of total correlation, and why its weight does not matter at the optimum."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q, S, V, W
from theory.derivations.engine.operators import LogDet, OverAll
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.elbo_parts import distortion, reconstruction
from theory.derivations.foundations.matrix_inequalities import use_product, use_tangent

__all__ = ["derivation"]

B = sp.MatrixSymbol("B", K, K)
ALONE = sp.Identity(K)


def _blocks(code, partition=B) -> sp.MatrixExpr:
    return sp.HadamardProduct(code, partition)


def _between(code) -> sp.Expr:
    return (LogDet(_blocks(code)) - LogDet(code)) / 2


def _within(code) -> sp.Expr:
    return (LogDet(_blocks(code, ALONE)) - LogDet(_blocks(code))) / 2


def _margins(code) -> sp.Expr:
    return (sp.Trace(code) - K - LogDet(_blocks(code, ALONE))) / 2


BETWEEN = Let(sp.Symbol("c_B", real=True), _between(C), "the total correlation between groups")
WITHIN = Let(
    sp.Symbol("c_W", real=True),
    (LogDet(_blocks(_blocks(C), ALONE)) - LogDet(_blocks(C))) / 2,
    "the total correlation of independent groups, of covariance $C \\circ B$",
)


def derivation() -> Derivation:
    z, u, y = sp.symbols("z u y", real=True)
    names = ("q", "f", "p", "phi", "psi", "h")
    q, groups, p, one, singles, h = (sp.Function(name, positive=True) for name in names)
    T, turn = sp.MatrixSymbol("T", K, K), sp.MatrixSymbol("O", K, K)
    info = sp.Symbol("w_I", positive=True)
    across, inside, single = sp.symbols("w_B w_W w_D", nonnegative=True)
    plain, moved_loss = sp.symbols("L_o L_T", real=True)
    between, within = BETWEEN.symbol, WITHIN.symbol
    whole = (LogDet(_blocks(C, ALONE)) - LogDet(C)) / 2

    def least(squared_error, code, posterior):
        return reconstruction(squared_error) + info * (LogDet(code) - LogDet(posterior)) / 2

    def dependence(code):
        return across * _between(code) + inside * _within(code) + single * _margins(code)

    moved = (turn * T * V, turn * T * Q * T.T * turn.T, W * T.I * turn.T)
    moved_code = turn * T * C * T.T * turn.T
    return Derivation(
        name="total-correlation",
        title="Total correlation: its chain rule, and why its weight does not matter at the optimum",
        statement=(
            Claim(
                "Let $q(z)$ be any density of the code, $f(z)$ the product of its densities of the groups and $p(z)$ "
                "that of its densities of single latents. The total correlation $\\int q \\log(q/p)$ is that between "
                "groups, $\\int q \\log(q/f)$, plus the mean of $\\log(f/p)$.",
                by=("Chain rule",),
            ),
            Claim(
                "The logarithm $\\log(f/p)$ is a sum over groups. For a group of density $\\phi$, whose single "
                "densities have the product $\\psi$, its term is $\\log(\\phi/\\psi)$, and the mean of this is the "
                "total correlation within the group, $\\int \\phi \\log(\\phi/\\psi)$: so the total correlation is "
                "that between groups plus the sum of those within groups.",
                by=("Chain rule", "Within one group"),
            ),
            Claim(
                "For a Gaussian code of covariance $C$ and every partition $B$ of the latents into groups these are "
                "$c_B = (\\log\\det(C \\circ B) - \\log\\det C)/2$ and $c_W = (\\log\\det(C \\circ I) - "
                "\\log\\det(C \\circ B))/2$.",
                by=(
                    "hadamard-gap: The gap is twice a divergence",
                    "Chain rule of a Gaussian",
                    "Within the groups of a Gaussian",
                ),
            ),
            Claim(
                "With prior $N(0, I)$ and weights $\\ge 0$ on total correlation between groups, within groups, and on "
                "the divergences of single latents, the objective $L$ is at no code less than the objective $L_o$ "
                "without them.",
                by=("No weight lowers the objective",),
            ),
            Claim(
                "For a learned decoder every value of $L_o$ is a value of $L$: that of the code $O T z$, of covariance "
                "$I$, whose decoder is $W T^{-1} O^T$.",
                by=("A whitened code matches the prior", "The value without the weights is reached"),
            ),
            Claim(
                "So with a learned decoder every weight $\\ge 0$ on total correlation and on the divergences of "
                "single latents has the same optimal value of the objective, for every data covariance.",
                by=("No weight lowers the objective", "The value without the weights is reached"),
            ),
            Claim(
                "The posterior covariance of the code $O T z$ is $O (T Q T^T) O^T$, with any orthogonal $O$: diagonal "
                "if the rows of $O$ are eigenvectors of $T Q T^T$. So the optimal value is the same for a diagonal "
                "posterior.",
                by=("No weight lowers the objective", "The value without the weights is reached"),
            ),
        ),
        assumptions=(
            "The weight $w_I$ of the mutual information is fixed and the decoder is free; the latents may be "
            "transformed by any invertible matrix.",
            "$\\circ$ keeps the entries in the blocks of a partition: $C \\circ B$ contains the blocks of the groups, "
            "$C \\circ I$ the diagonal. Every positive definite $C$ has a whitening transformation $T$, of $T C T^T = "
            "I$, as $C^{-1/2}$.",
        ),
        scope=(
            "The chain rule for any densities and any number of groups; the invariance for every $K$, $D$ and "
            "partition."
        ),
        matrices=dict.fromkeys((C, Q, S), "positive") | {T: "invertible", turn: "orthogonal", B: "partition"},
        functions=dict.fromkeys((q, groups, p, one, singles, h), "density"),
        steps=(
            Step(
                "Chain rule",
                sp.Eq(
                    OverAll(q(z) * sp.log(q(z) / p(z)), z) - OverAll(q(z) * sp.log(q(z) / groups(z)), z),
                    OverAll(q(z) * sp.log(groups(z) / p(z)), z),
                    evaluate=False,
                ),
                "At each $z$ the logarithm on the right is the difference of the two on the left.",
                wrong_form=OverAll(q(z) * sp.log(p(z) / groups(z)), z),
            ),
            Step(
                "Within one group",
                sp.Eq(
                    OverAll(OverAll(one(u) * h(y, u) * sp.log(one(u) / singles(u)), y), u),
                    OverAll(one(u) * sp.log(one(u) / singles(u)), u),
                    evaluate=False,
                ),
                "Here $u$ are the latents of one group, $\\phi(u)$ their density, $\\psi(u)$ the product of their "
                "single densities, and $h(y|u)$ the density of all other latents.",
                wrong_form=2 * OverAll(one(u) * sp.log(one(u) / singles(u)), u),
            ),
            Step(
                "Chain rule of a Gaussian",
                sp.Eq(whole, between + within, evaluate=False),
                "Each term is half of a Hadamard gap: of $C$ under the partition into single latents, of $C$ under "
                "$B$, and of the blocks $C \\circ B$ under the partition into single latents.",
                let=(BETWEEN, WITHIN),
                wrong_form=between - within,
            ),
            Step(
                "Within the groups of a Gaussian",
                sp.Eq(within, _within(C), evaluate=False),
                "The blocks of $C \\circ B$ are those of the groups and its diagonal is that of $C$. As the "
                "determinant of $C \\circ B$ is the product of those of the groups, this is the sum of their total "
                "correlations.",
                wrong_form=between,
            ),
            Step(
                "No weight lowers the objective",
                sp.Ge(plain + dependence(C), plain, evaluate=False),
                "The left side is the objective $L$. Neither the two total correlations, which are half of Hadamard "
                "gaps, nor the divergences of single latents are negative.",
                let=(Let(plain, least(distortion(), C, Q), "the objective without the weights"),),
                uses=(
                    use_tangent(C, _blocks(C), times=across / 2),
                    use_tangent(_blocks(C), _blocks(C, ALONE), times=inside / 2),
                    use_product(turn * turn.T, _blocks(C, ALONE), times=single / 2),
                ),
            ),
            Step(
                "Distortion under a change of code",
                sp.Eq(distortion(*moved), distortion(), evaluate=False),
                "Transform the code by $O T$ and let the decoder undo it.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Mutual information under a change of code",
                sp.Eq((LogDet(moved_code) - LogDet(moved[1])) / 2, (LogDet(C) - LogDet(Q)) / 2, evaluate=False),
                "Both determinants take the factor $(\\det T)^2$.",
                wrong_form=(LogDet(C) + LogDet(Q)) / 2,
            ),
            Step(
                "The objective of a changed code",
                sp.Eq(moved_loss, plain + dependence(moved_code), evaluate=False),
                "Distortion and information stay as they are.",
                let=(
                    Let(
                        moved_loss,
                        least(distortion(*moved), moved_code, moved[1]) + dependence(moved_code),
                        "the objective of the code $O T z$",
                    ),
                ),
                uses=(Use("Mutual information under a change of code", times=info),),
            ),
            Step(
                "A whitened code matches the prior",
                sp.Eq(dependence(moved_code), 0, evaluate=False),
                "The new code has covariance $O I O^T = I$: its latents are independent, and each has the prior.",
                let=(
                    Let(
                        C,
                        T.I * T.T.I,
                        "a whitening transformation",
                        rule=(T * C, T.T.I),
                        hypothesis=True,
                    ),
                ),
                wrong_form=sp.Integer(1),
            ),
            Step(
                "The value without the weights is reached",
                sp.Eq(moved_loss, plain, evaluate=False),
                "The other parts vanish.",
                wrong_form=2 * plain,
                uses=(Use("Mutual information under a change of code", times=info),),
            ),
        ),
        results=("Chain rule of a Gaussian", "A whitened code matches the prior"),
        sources=(
            Source(
                "chen2022", "the subject; the theorem is this project's; the source's exact objective was not consulted"
            ),
            Source("chen2025", "the same subject; its exact objective was not consulted either"),
        ),
        builds_on=("elbo-parts", "hadamard-gap", "matrix-inequalities"),
    )
