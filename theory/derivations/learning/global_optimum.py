"""Page: the global optimum with a learned decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, P, S, W, t, tau
from theory.derivations.engine.operators import LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step, Use
from theory.derivations.foundations.gibbs_inequality import use_log_tangent
from theory.derivations.inference.optimal_encoder import PRECISION
from theory.derivations.learning.ppca_equivalence import IDENTITY, INVERSE, N

__all__ = ["ABOVE", "derivation", "gain_of_mode", "l", "share_of_mode", "w"]

w = sp.Symbol("w", real=True)
l = sp.Symbol("l", positive=True)  # noqa: E741 (the book's name of an eigenvalue)
ABOVE = (l > t,)


def share_of_mode(value=l, column=w) -> sp.Expr:
    """The part of the likelihood of a mode: a column of this length along an eigenvector of this eigenvalue."""
    return (sp.log(1 + column**2 / t) - value * column**2 / (t * (t + column**2))) / 2


def gain_of_mode(value=l) -> sp.Expr:
    """What a column of the best length along an eigenvector of this eigenvalue saves."""
    return (value / t - 1 - sp.log(value / t)) / 2


def likelihood(decoder) -> sp.Expr:
    """What of the negative log likelihood depends on the decoder, by the page on probabilistic PCA."""
    precision = sp.Identity(K) + decoder.T * decoder / t
    return (LogDet(precision) - sp.Trace(decoder.T * S * decoder * precision.I) / t**2) / 2


def derivation() -> Derivation:
    H, column = sp.MatrixSymbol("H", D, K), sp.MatrixSymbol("Y", D, D)
    u, v, f = sp.MatrixSymbol("u", D, 1), sp.MatrixSymbol("b", K, 1), sp.MatrixSymbol("e", K, 1)
    k = sp.MatrixSymbol("k", K, 1)
    e, theta = sp.symbols("epsilon theta", real=True)
    m, r, o = sp.symbols("m h l_o", positive=True)
    O, R = sp.MatrixSymbol("O", D, D), sp.MatrixSymbol("O_R", K, K)  # noqa: E741
    E, B, T = sp.MatrixSymbol("U", D, K), sp.MatrixSymbol("B", K, K), sp.MatrixSymbol("Phi", K, K)
    lengths, gains = sp.MatrixSymbol("Lambda", D, K), sp.MatrixSymbol("F", K, D)
    along = sp.HadamardProduct(sp.MatrixSymbol("X", K, K), sp.Identity(K))
    share, rotated = sp.Function("f")(w), sp.Function("f_r")(theta)
    i, active, others = (sp.Symbol(name, integer=True, positive=True) for name in ("i", "q", "p"))
    above = sp.IndexedBase(sp.Symbol("d", positive=True))
    below, first, last = (sp.IndexedBase(sp.Symbol(name, real=True)) for name in ("c", "x", "y"))
    # At or below the water level: t less the square of a number that is smaller than its root is t / (1 + c^2).
    low = t / (1 + below[i] ** 2)
    lost_above = share_of_mode(t + above[i], first[i]) + gain_of_mode(t + above[i])
    below_level = share_of_mode(low, last[i])
    mode, inactive = "No length is better above the water level", "No length is better below the water level"
    return Derivation(
        name="global-optimum",
        title="The global optimum with a learned decoder",
        statement=(
            Claim(
                "For the best encoder of a decoder $W$ the loss is $\\beta$ times the negative log likelihood of "
                "probabilistic PCA at the noise $t = \\beta\\sigma^2$, plus a constant that does not depend on $W$; no "
                "other encoder is better.",
                by=("ppca-equivalence: The loss as a likelihood", "optimal-encoder: No encoder is better"),
            ),
            Claim(
                "With a full posterior covariance $W$ is stationary iff $S W = t W P = W (t I + W^T W)$, where $P = I "
                "+ W^T W/t$.",
                by=("The gradient",),
            ),
            Claim(
                "If so, and $b$ is an eigenvector of $P$ of eigenvalue $m$, then $W b$ is zero or an "
                "eigenvector of $S$ of eigenvalue $l = t m$, and of squared length $l - t$ if $b$ has length one; for "
                "orthogonal eigenvectors of $P$ these are orthogonal.",
                by=("Columns along eigenvectors", "Lengths of the columns", "Inner products of the columns"),
            ),
            Claim(
                "If $w_i$ are the singular values of $W$ and $l_i$ the eigenvalues of $S$, both descending, the part "
                "of the negative log likelihood that depends on $W$ is at least the sum of the shares $f(w_i)$ of "
                "columns of these lengths along the eigenvectors, $f(w) = [\\log(1 + w^2/t) - l w^2/(t (t + w^2))]/2$.",
                by=(
                    "Traces of two matrices",
                    "One mode",
                    "trace-inequality: Two dimensions",
                    "trace-inequality: Two dimensions: a bound",
                ),
                cites="mirsky1975",
            ),
            Claim(
                "The share of a mode with $l > t$ is least at $w^2 = l - t$, and only there.",
                by=(mode, "Other lengths are worse above the water level", "What an active mode gains"),
            ),
            Claim(
                "The share of a mode with $l \\le t$ is least at $w = 0$, and only there.",
                by=(inactive, "Other lengths are worse below the water level"),
            ),
            Claim(
                "So there is a global optimum in which latent $i \\le K$ is active iff $l_i > t = \\beta\\sigma^2$, "
                "with the decoder column $\\sqrt{l_i - t}$ along the eigenvector $u_i$.",
                by=("The likelihood along eigenvectors", "All modes together"),
                cites="mirsky1975",
            ),
            Claim(
                "It is the same for every block-diagonal family of posteriors: its $P$ is diagonal, so that the price "
                "of a family is zero.",
                by=("The precision is diagonal", "posterior-families: The price of a family"),
            ),
            Claim(
                "The encoder has the gain $P^{-1} W^T/t$ and the covariance $P^{-1}$.",
                by=("optimal-encoder: The loss as a completed square", "optimal-encoder: No encoder is better"),
            ),
            Claim(
                "One mode at a time, for an active latent these are the gain $\\sqrt{l_i - t}/l_i$ and the "
                "posterior variance $t/l_i$.",
                by=("Encoder gain", "Posterior variance"),
            ),
            Claim(
                "An inactive latent has collapsed to the prior: its gain is zero and its variance one.",
                by=("Gain of an inactive latent", "Variance of an inactive latent"),
            ),
            Claim(
                "The critical weight of mode $i$, at which its curvature in the collapsed state changes "
                "sign, is $\\beta = l_i/\\sigma^2$.",
                by=("Curvature of a collapsed mode",),
            ),
            Claim(
                "An active mode saves $\\beta (l/t - 1 - \\log(l/t))/2$ of the loss, which is positive and rises "
                "strictly with $l$.",
                by=("What an active mode gains", "The gain is positive", "Larger modes gain more"),
            ),
            Claim(
                "So every optimum takes the largest eigenvalues above $t$: the other optima are rotations of the "
                "latents that keep the posterior in its family, or take other eigenvectors where eigenvalues tie.",
                by=(
                    "The gradient",
                    "Columns along eigenvectors",
                    "Lengths of the columns",
                    "Inner products of the columns",
                    "The likelihood along eigenvectors",
                    "What an active mode gains",
                    "Larger modes gain more",
                    "posterior-families: The price of a family",
                    "posterior-families: The price is positive",
                ),
            ),
            Claim(
                "With a full posterior covariance a stationary point that leaves out a larger eigenvalue than one it "
                "takes has a direction of negative curvature.",
                by=("The model covariance of one column", "Curvature of a rotation", "Other choices are saddles"),
            ),
            Claim(
                "For data of independent factors the active latents see the factors along the principal "
                "axes of the loading, the eigenvectors of $A^T A$.",
                by=(
                    "Principal axes of data of independent factors",
                    "What a learned latent sees of the factors",
                    "Principal axes in the space of the factors",
                ),
            ),
            Claim(
                "The axis of a factor is such an eigenvector iff the column of the factor is orthogonal to all others.",
                by=("The axis of a factor",),
            ),
            Claim(
                "So they see one factor each, at every optimum, iff the columns of the loading are orthogonal and of "
                "different norms, none of them zero.",
                by=("The axis of a factor", "Tied norms"),
                argued=True,
            ),
        ),
        assumptions=(
            "$\\sigma^2$ fixed; any block-diagonal family of posteriors; $S$ positive definite, with eigenvalues $l_1 "
            "\\ge l_2 \\ge \\dots$",
            "In the steps on factors $S = A A^T + \\tau^2 I$ is the covariance of independent factors of variance 1, "
            "and the posterior diagonal; $K \\le D$ latents, as many as factors, all of them active.",
        ),
        scope=(
            "For every $K$ and $D$. The sums over modes start from the singular values of $W$ and the eigenvalues of "
            "$S$; the inequality that compares them with each other is cited."
        ),
        matrices={P: "positive", S: "positive", T: "positive", B: "partition"}
        | dict.fromkeys((u, f, O, R, E), "orthogonal"),
        where=(sp.Le(K, D),),
        steps=(
            Step(
                "The gradient",
                sp.Eq(
                    sp.Subs(sp.Derivative(likelihood(W + e * H), e), e, 0),
                    sp.Trace(H.T * N * (t * W * P - S * W) * P.I) / t,
                    evaluate=False,
                ),
                "The slope at $W$ in an arbitrary direction $H$. As $\\Xi$, the inverse of the model covariance, and "
                "$P$ are invertible, it vanishes for every $H$ iff $t W P = S W$.",
                let=(PRECISION, INVERSE),
                wrong_form=sp.Trace(H.T * N * (t * W * P + S * W) * P.I) / t,
            ),
            Step(
                "Columns along eigenvectors",
                sp.Eq(
                    S * W * v - t * m * W * v - (S * W - t * W * P) * v,
                    t * W * (P * v - m * v),
                    evaluate=False,
                ),
                "If $W$ is stationary and $P b = m b$, this says $S W b = t m W b$.",
                wrong_form=-t * W * (P * v - m * v),
            ),
            Step(
                "Lengths of the columns",
                sp.Eq(SquaredNorm(W * v), t * (SquaredNorm(v, P) - SquaredNorm(v)), evaluate=False),
                "For $P b = m b$ and a unit vector $b$ this is $t (m - 1) = l - t$.",
                wrong_form=t * (SquaredNorm(v, P) + SquaredNorm(v)),
            ),
            Step(
                "Inner products of the columns",
                sp.Eq(sp.Trace(v.T * W.T * W * k), t * (sp.Trace(v.T * P * k) - sp.Trace(v.T * k)), evaluate=False),
                "For orthogonal eigenvectors $b$ and $k$ of $P$ this is zero.",
                wrong_form=t * (sp.Trace(v.T * P * k) + sp.Trace(v.T * k)),
            ),
            Step(
                "Traces of two matrices",
                sp.Eq(
                    sp.Trace(W.T * S * W * P.I) / t**2,
                    sp.Trace(S * (IDENTITY / t - N)),
                    evaluate=False,
                ),
                "If $w_i$ are the singular values of $W$, the second matrix has the eigenvalues $w_i^2/(t (t + "
                "w_i^2))$, which descend with $w_i$. By von Neumann's inequality the trace is at most the sum of $l_i$ "
                "times these, so the negative log likelihood is at least the sum of the shares below.",
                wrong_form=sp.Trace(S * (IDENTITY / t + N)),
            ),
            Step(
                "One mode",
                sp.Eq(sp.Derivative(share, w), w * (w**2 + t - l) / (w**2 + t) ** 2, evaluate=False),
                "The share of a mode is stationary at $w = 0$ and at $w^2 = l - t$.",
                let=(
                    Let(
                        share,
                        share_of_mode(),
                        "the share of one mode in the likelihood, a column of length $w$ along an eigenvector of "
                        "eigenvalue $l$",
                    ),
                ),
            ),
            Step(
                "Curvature of a collapsed mode",
                sp.Eq(sp.Subs(sp.Derivative(share, (w, 2)), w, 0), (t - l) / t**2, evaluate=False),
                "Negative iff $l > t$: the threshold is $\\beta = l/\\sigma^2$.",
            ),
            Step(
                "The share by the variance of the model",
                sp.Eq(share, (sp.log(t + w**2) - sp.log(t) + l / (t + w**2) - l / t) / 2, evaluate=False),
                "Along its eigenvector the model has the variance $t + w^2$ in place of $t$.",
            ),
            Step(
                "What an active mode gains",
                sp.Eq(share.func(0) - share.func(sp.sqrt(r)), gain_of_mode(), evaluate=False),
                "Compare the share at $w = 0$, which is zero, with that at $w^2 = l - t$.",
                where=ABOVE,
                let=(Let(r, l - t, "the part of the variance above the water level, positive for an active mode"),),
            ),
            Step(
                mode,
                sp.Ge(share, -gain_of_mode(), evaluate=False),
                "With $m = t + w^2$ twice the difference is $l/m - 1 - \\log(l/m)$.",
                where=ABOVE,
                uses=(use_log_tangent(l / (t + w**2), times=sp.Rational(1, 2)),),
            ),
            Step(
                "Other lengths are worse above the water level",
                sp.Gt(share, -gain_of_mode(), evaluate=False),
                "Strictly, as $l/m$ is not one.",
                where=(*ABOVE, sp.Ne(l, t + w**2)),
                uses=(use_log_tangent(l / (t + w**2), times=sp.Rational(1, 2), strict=True),),
            ),
            Step(
                inactive,
                sp.Ge(share, 0, evaluate=False),
                "By $\\log(m/t) \\ge 1 - t/m$ twice the share is at least $(1 - t/m)(1 - l/t)$.",
                where=(l <= t,),
                uses=(use_log_tangent(t / (t + w**2), times=sp.Rational(1, 2)),),
            ),
            Step(
                "Other lengths are worse below the water level",
                sp.Gt(share, 0, evaluate=False),
                "Strictly, as $t/m$ is not one.",
                where=(l <= t, sp.Ne(w, 0)),
                uses=(use_log_tangent(t / (t + w**2), times=sp.Rational(1, 2), strict=True),),
            ),
            Step(
                "The precision is diagonal",
                sp.Eq(
                    sp.HadamardProduct(sp.Identity(K) + (E * along).T * E * along / t, B),
                    sp.Identity(K) + along * along / t,
                    evaluate=False,
                ),
                "For orthonormal directions $U$ with the lengths $w_i$ in $X \\circ I$, the diagonal of any matrix "
                "$X$: so $P \\circ B = P$ for every partition $B$.",
                wrong_form=sp.Identity(K) - along * along / t,
            ),
            Step(
                "The likelihood along eigenvectors",
                sp.Eq(
                    likelihood(E * along),
                    (LogDet(T) - sp.Trace(E.T * S * E * along * T.I * along) / t**2) / 2,
                    evaluate=False,
                ),
                "All matrices but $U^T S U$ are diagonal; its diagonal is $l_i$ if the directions are eigenvectors. "
                "So the likelihood is the sum of the shares, and the bound is attained.",
                let=(
                    Let(
                        T,
                        sp.Identity(K) + along * along / t,
                        "this diagonal precision",
                        rule=(along * along, t * (T - sp.Identity(K))),
                    ),
                ),
                wrong_form=-LogDet(T) / 2,
            ),
            Step(
                "All modes together",
                sp.Ge(
                    sp.Sum(lost_above, (i, 1, active)) + sp.Sum(below_level, (i, 1, others)),
                    0,
                    evaluate=False,
                ),
                "Sum over $q$ modes above the water level, $l_i = t + d_i$ of any length $x_i$, and $p$ modes at or "
                "below it, $l_i = t/(1 + c_i^2)$ of any length $y_i$: no lengths are better than $x_i^2 = d_i$ and "
                "$y_i = 0$.",
                uses=(
                    Use(mode, {l: t + above[i], w: first[i]}, over=(i, 1, active)),
                    Use(inactive, {l: low, w: last[i]}, over=(i, 1, others)),
                ),
            ),
            Step(
                "The gain is positive",
                sp.Gt(gain_of_mode(), 0, evaluate=False),
                "The logarithm lies below its tangent.",
                where=ABOVE,
                uses=(use_log_tangent(l / t, times=sp.Rational(1, 2), strict=True),),
            ),
            Step(
                "Larger modes gain more",
                sp.Gt(gain_of_mode(l), gain_of_mode(o), evaluate=False),
                "For two eigenvalues $l > l_o \\ge t$, by $\\log(l/l_o) < l/l_o - 1$: among all choices of at most $K$ "
                "modes the largest ones above $t$ are best.",
                where=(l > o, sp.Ge(o, t)),
                uses=(use_log_tangent(l / o, times=sp.Rational(1, 2), strict=True),),
            ),
            Step(
                "The model covariance of one column",
                sp.Eq((column + t * IDENTITY) * (IDENTITY - column / (t + w**2)), t * IDENTITY, evaluate=False),
                "For a single column $w u$ the inverse is $\\Xi = (I - w^2 u u^T/(t + w^2))/t$, so $S$ enters the "
                "likelihood through $-w^2 u^T S u/(2 t (t + w^2))$; other columns, orthogonal to $u$, add their own "
                "terms.",
                let=(Let(column, w**2 * u * u.T, "the part of one column, with $u$ a unit vector"),),
                wrong_form=(t + w**2) * IDENTITY,
            ),
            Step(
                "Curvature of a rotation",
                sp.Eq(
                    sp.Subs(sp.Derivative(rotated, (theta, 2)), theta, 0),
                    (l - o) * w**2 / (t * (t + w**2)),
                    evaluate=False,
                ),
                "Rotate a column of length $w$ from the eigenvector of $l$ towards an unused one of eigenvalue $l_o$.",
                let=(
                    Let(
                        rotated,
                        -(w**2) * (l * sp.cos(theta) ** 2 + o * sp.sin(theta) ** 2) / (2 * t * (t + w**2)),
                        "this term with $u$ rotated by $\\theta$",
                    ),
                ),
            ),
            Step(
                "Other choices are saddles",
                sp.Lt(sp.Subs(sp.Derivative(rotated, (theta, 2)), theta, 0), 0, evaluate=False),
                "If the unused eigenvalue is larger, the curvature is negative.",
                where=(o > l, sp.Ne(w, 0)),
            ),
            Step(
                "Encoder gain",
                sp.Eq(
                    sp.sqrt(r) / (t * (1 + r / t)),
                    sp.sqrt(r) / l,
                    evaluate=False,
                ),
                "The best encoder $P^{-1} W^T/t$ in one mode, with $w^2 = h = l - t$.",
                where=ABOVE,
            ),
            Step(
                "Posterior variance",
                sp.Eq(1 / (1 + r / t), t / l, evaluate=False),
                "One over the precision.",
                where=ABOVE,
            ),
            Step(
                "Gain of an inactive latent",
                sp.Eq(sp.Subs(w / (t * (1 + w**2 / t)), w, 0), 0, evaluate=False),
                "The same at $w = 0$.",
                wrong_form=1 / t,
            ),
            Step(
                "Variance of an inactive latent",
                sp.Eq(sp.Subs(1 / (1 + w**2 / t), w, 0), 1, evaluate=False),
                "The variance of the prior.",
            ),
            Step(
                "Principal axes of data of independent factors",
                sp.Eq(
                    (A * A.T + tau**2 * IDENTITY) * O,
                    O * (lengths * lengths.T + tau**2 * IDENTITY),
                    evaluate=False,
                ),
                "The columns of $O$ are eigenvectors of $S$, with eigenvalues that exceed $\\tau^2$ by the squared "
                "singular values of $A$, which are the diagonal of $\\Lambda$.",
                let=(Let(A, O * lengths * R.T, "the loading by its singular values, with $O$ and $O_R$ orthogonal"),),
                wrong_form=O * (lengths * lengths.T - tau**2 * IDENTITY),
            ),
            Step(
                "What a learned latent sees of the factors",
                sp.Eq(gains * O.T * A, gains * lengths * R.T, evaluate=False),
                "The encoder is $V = F O^T$, with the gains $\\sqrt{l - t}/l$ in the diagonal of $F$: row $j$ of $V A$ "
                "is a multiple of column $j$ of $O_R$.",
                wrong_form=gains * lengths * R,
            ),
            Step(
                "Principal axes in the space of the factors",
                sp.Eq(A.T * A * R, R * lengths.T * lengths, evaluate=False),
                "The columns of $O_R$ are eigenvectors of $A^T A$, with the squared singular values.",
                wrong_form=R.T * lengths.T * lengths,
            ),
            Step(
                "The axis of a factor",
                sp.Eq(
                    SquaredNorm(A.T * A * f - SquaredNorm(A * f) * f),
                    SquaredNorm(A.T * A * f) - SquaredNorm(A * f) ** 2,
                    evaluate=False,
                ),
                "For a unit vector $e$ the left side vanishes iff $e$ is an eigenvector of $A^T A$; for the axis of a "
                "factor the right side is the sum of the squared products of its column with all others.",
                wrong_form=SquaredNorm(A.T * A * f) + SquaredNorm(A * f) ** 2,
            ),
            Step(
                "Tied norms",
                sp.Eq(
                    A.T * A * (sp.cos(theta) * f + sp.sin(theta) * v) - m * (sp.cos(theta) * f + sp.sin(theta) * v),
                    sp.cos(theta) * (A.T * A * f - m * f) + sp.sin(theta) * (A.T * A * v - m * v),
                    evaluate=False,
                ),
                "If the axes $e$ and $b$ of two factors are eigenvectors of one eigenvalue $m$, so is every axis "
                "between them: another optimum sees mixtures of the two.",
                wrong_form=sp.cos(theta) * (A.T * A * f - m * f) - sp.sin(theta) * (A.T * A * v - m * v),
            ),
        ),
        results=(
            "Curvature of a collapsed mode",
            "Encoder gain",
            "Posterior variance",
            "What a learned latent sees of the factors",
        ),
        sources=(
            Source("tipping1999", "the stationary points of probabilistic PCA"),
            Source("mirsky1975", "von Neumann's trace inequality"),
            Source("lucas2019", "collapse of the linear VAE"),
            Source("wang2022", "the general linear latent model"),
            Source("sikka2019", "in its setting, but with a learned decoder: the steps on factors"),
        ),
        builds_on=(
            "ppca-equivalence",
            "optimal-encoder",
            "posterior-families",
            "gibbs-inequality",
            "trace-inequality",
        ),
    )
