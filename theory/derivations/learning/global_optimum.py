"""Page: the global optimum with a learned decoder."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, P, S, W, t, tau
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.inference.optimal_encoder import PRECISION
from theory.derivations.learning.ppca_equivalence import IDENTITY, INVERSE, MODEL, M, N

w = sp.Symbol("w", real=True)
l = sp.Symbol("l", positive=True)  # noqa: E741 (the book's name of an eigenvalue)
ABOVE = (l > t,)


def derivation() -> Derivation:
    H = sp.MatrixSymbol("H", D, K)
    u, column = sp.MatrixSymbol("u", D, 1), sp.MatrixSymbol("U", D, D)
    e = sp.Symbol("epsilon", real=True)
    m, r = sp.symbols("l_o r", positive=True)
    theta = sp.Symbol("theta", real=True)
    O, R = sp.MatrixSymbol("O", D, D), sp.MatrixSymbol("R", K, K)  # noqa: E741
    lengths, gains = sp.MatrixSymbol("Sigma", D, K), sp.MatrixSymbol("F", K, D)
    f, rotated = sp.Function("f")(w), sp.Function("f_r")(theta)
    moved = W + e * H
    model = moved * moved.T + t * IDENTITY
    likelihood = (LogDet(model) + sp.Trace(S * model.I)) / 2
    here = (W * W.T + t * IDENTITY).I
    return Derivation(
        name="global-optimum",
        title="The global optimum with a learned decoder",
        statement=(
            Claim(
                "There is an optimum in which latent $i \\le K$ is active iff $l_i > t = \\beta\\sigma^2$.",
                by=(
                    "The gradient, multiplied by the model covariance",
                    "One mode",
                    "Curvature of a collapsed mode",
                    "Curvature of an active mode",
                    "What an active mode gains",
                    "Larger modes gain more",
                    "The model covariance of one column",
                    "Other choices are saddles",
                ),
                argued=True,
            ),
            Claim(
                "It is the same for every family of posteriors.",
                by=("Posterior variance",),
                argued=True,
            ),
            Claim(
                "An active latent has the decoder column $\\sqrt{l_i - t}$ along the eigenvector $u_i$.",
                by=(
                    "The gradient, multiplied by the model covariance",
                    "One mode",
                    "Curvature of an active mode",
                ),
                argued=True,
            ),
            Claim(
                "The encoder has the gain $P^{-1} W^T/t$ and the covariance $P^{-1}$.",
                by=(
                    "Encoder gain",
                    "Posterior variance",
                ),
                argued=True,
            ),
            Claim(
                "One mode at a time, for an active latent these are the gain $\\sqrt{l_i - t}/l_i$ and the "
                "posterior variance $t/l_i$.",
                by=(
                    "Encoder gain",
                    "Posterior variance",
                ),
            ),
            Claim(
                "An inactive latent has collapsed to the prior.",
                by=(
                    "One mode",
                    "Curvature of a collapsed mode",
                ),
                argued=True,
            ),
            Claim(
                "The critical weight of mode $i$, at which its curvature in the collapsed state changes "
                "sign, is $\\beta = l_i/\\sigma^2$.",
                by=("Curvature of a collapsed mode",),
            ),
            Claim(
                "The other optima are rotations of the latents that keep the posterior in its family, or "
                "take other eigenvectors where eigenvalues tie.",
                by=(
                    "The gradient, multiplied by the model covariance",
                    "Larger modes gain more",
                    "Other choices are saddles",
                ),
                argued=True,
            ),
            Claim(
                "For data of independent factors the active latents see the factors along the principal "
                "axes of the loading.",
                by=(
                    "Principal axes of data of independent factors",
                    "What a learned latent sees of the factors",
                ),
                argued=True,
            ),
            Claim(
                "They see one factor each, at every optimum, iff the columns of the loading are "
                "orthogonal and of different norms.",
                by=("What a learned latent sees of the factors",),
                argued=True,
            ),
        ),
        assumptions=(
            "$\\sigma^2$ fixed; any family of posteriors; $S$ any covariance, with eigenvalues $l_1 \\ge l_2 \\ge "
            "\\dots$",
            "In the last two steps $S = A A^T + \\tau^2 I$ is the covariance of independent factors of variance 1, and "
            "the posterior diagonal; $K \\le D$ latents, as many as factors, all of them active.",
        ),
        scope=(
            "The gradient entry by entry for $(K, D)$ = (1, 2) and (2, 2); the eigenvalue equation for every $K$ and "
            "$D$; the rest one mode, or two, at a time, to which the eigenvalue equation reduces every stationary "
            "point."
        ),
        matrices={P: "positive", S: "positive"} | dict.fromkeys((u, O, R), "orthogonal"),
        steps=(
            Step(
                "The gradient",
                sp.Eq(
                    sp.Subs(sp.Derivative(likelihood, e), e, 0),
                    sp.Trace(H.T * (here - here * S * here) * W),
                    evaluate=False,
                ),
                "By the page on probabilistic PCA the loss is $\\beta$ times this likelihood plus a constant; here "
                "is its slope at $W$ in an arbitrary direction $H$.",
                sizes=({K: 1, D: 2}, {K: 2, D: 2}),
                wrong_form=sp.Trace(H.T * (here + here * S * here) * W),
            ),
            Step(
                "The gradient, multiplied by the model covariance",
                sp.Eq(M * (N - N * S * N) * W, W - S * W * P.I / t, evaluate=False),
                "With $N W = W P^{-1}/t$. So $W$ is stationary iff $S W = t W P = W (t I + W^T W)$: the columns of "
                "$W$ span eigenvectors of $S$, with $l = t + w^2$ for each nonzero singular value $w$ of $W$.",
                let=(PRECISION, MODEL, INVERSE),
                wrong_form=W - S * W * P.I,
            ),
            Step(
                "One mode",
                sp.Eq(sp.Derivative(f, w), w * (w**2 + t - l) / (w**2 + t) ** 2, evaluate=False),
                "Along an eigenvector of eigenvalue $l$ the likelihood is stationary at $w = 0$ and at $w^2 = l - t$.",
                let=(Let(f, (sp.log(w**2 + t) + l / (w**2 + t)) / 2, "the share of one mode of singular value $w$"),),
            ),
            Step(
                "Curvature of a collapsed mode",
                sp.Eq(sp.Subs(sp.Derivative(f, (w, 2)), w, 0), (t - l) / t**2, evaluate=False),
                "A collapsed mode is a minimum iff $l \\le t$ and a direction of descent iff $l > t$: the threshold is "
                "$\\beta = l/\\sigma^2$.",
            ),
            Step(
                "Curvature of an active mode",
                sp.Eq(
                    sp.Subs(sp.Derivative(f, (w, 2)), w, sp.sqrt(r)),
                    2 * r / l**2,
                    evaluate=False,
                ),
                "Positive: an active mode is a minimum in its singular value.",
                where=ABOVE,
                let=(Let(r, l - t, "the part of the variance above the water level, positive for an active mode"),),
            ),
            Step(
                "What an active mode gains",
                sp.Eq(
                    f.func(0) - f.func(sp.sqrt(r)),
                    (l / t - 1 - sp.log(l / t)) / 2,
                    evaluate=False,
                ),
                "The decrease of the loss if the mode is active, which is positive.",
                where=ABOVE,
            ),
            Step(
                "Larger modes gain more",
                sp.Eq(
                    sp.Derivative((l / t - 1 - sp.log(l / t)) / 2, l),
                    (l - t) / (2 * l * t),
                    evaluate=False,
                ),
                "Positive above the water level: among all choices of at most $K$ modes the largest ones above $t$ "
                "are best.",
            ),
            Step(
                "The model covariance of one column",
                sp.Eq((column + t * IDENTITY) * (IDENTITY - column / (t + w**2)), t * IDENTITY, evaluate=False),
                "For a single column $w u$ the inverse is $N = (I - w^2 u u^T/(t + w^2))/t$, so $S$ enters the "
                "likelihood through $-w^2 u^T S u/(2 t (t + w^2))$; other columns, orthogonal to $u$, add their own "
                "terms.",
                let=(Let(column, w**2 * u * u.T, "the part of one column, with $u$ a unit vector"),),
                wrong_form=(t + w**2) * IDENTITY,
            ),
            Step(
                "Other choices are saddles",
                sp.Eq(
                    sp.Subs(sp.Derivative(rotated, (theta, 2)), theta, 0),
                    (l - m) * w**2 / (t * (t + w**2)),
                    evaluate=False,
                ),
                "Rotate a column of singular value $w$ from the eigenvector of $l$ towards an unused one of eigenvalue "
                "$l_o$: if $l_o > l$ the curvature is negative, so no choice but the best is a local minimum.",
                let=(
                    Let(
                        rotated,
                        -(w**2) * (l * sp.cos(theta) ** 2 + m * sp.sin(theta) ** 2) / (2 * t * (t + w**2)),
                        "this term with $u$ rotated by $\\theta$",
                    ),
                ),
            ),
            Step(
                "Encoder gain",
                sp.Eq(
                    sp.sqrt(r) / (t * (1 + r / t)),
                    sp.sqrt(r) / l,
                    evaluate=False,
                ),
                "The best encoder $P^{-1} W^T/t$ in one mode, with $w^2 = r = l - t$.",
                where=ABOVE,
            ),
            Step(
                "Posterior variance",
                sp.Eq(1 / (1 + r / t), t / l, evaluate=False),
                "One over the precision. As $P$ is diagonal here, the diagonal family (and every other) contains "
                "this posterior and has the same minimum, without gap.",
                where=ABOVE,
            ),
            Step(
                "Principal axes of data of independent factors",
                sp.Eq(
                    (A * A.T + tau**2 * IDENTITY) * O,
                    O * (lengths * lengths.T + tau**2 * IDENTITY),
                    evaluate=False,
                ),
                "The columns of $O$ are eigenvectors of $S$, with eigenvalues that exceed $\\tau^2$ by the squared "
                "singular values of $A$, which are the diagonal of $\\Sigma$.",
                let=(Let(A, O * lengths * R.T, "the loading by its singular values, with $O$ and $R$ orthogonal"),),
                wrong_form=O * (lengths * lengths.T - tau**2 * IDENTITY),
            ),
            Step(
                "What a learned latent sees of the factors",
                sp.Eq(gains * O.T * A, gains * lengths * R.T, evaluate=False),
                "The encoder is $V = F O^T$, with the gains $\\sqrt{l - t}/l$ in the diagonal of $F$: row $j$ of $V A$ "
                "is a multiple of the principal axis $j$ in the space of the factors, a column of $R$. It is one "
                "factor for each latent iff $R$ is a signed permutation, so that $A^T A = R \\Sigma^T \\Sigma R^T$ is "
                "diagonal. If norms tie, any rotation among their axes is another choice of $R$, and another optimum.",
                wrong_form=gains * lengths * R,
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
            Source("lucas2019", "collapse of the linear VAE"),
            Source("wang2022", "the general linear latent model"),
            Source("sikka2019", "in its setting, but with a learned decoder: the last two steps"),
        ),
        builds_on=("ppca-equivalence", "posterior-families"),
    )
