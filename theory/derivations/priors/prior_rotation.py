"""Page: which priors fix the axes of the code: none for Gaussian data."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q, S, V, W, beta
from theory.derivations.engine.operators import Expectation, LogDet, OverAll, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import AGGREGATE, distortion, loss, mutual_information, reconstruction
from theory.derivations.foundations.gibbs_inequality import use_integrand


def derivation() -> Derivation:
    T, rotation_matrix, M = (sp.MatrixSymbol(name, K, K) for name in "TOM")
    root, target, change = (sp.MatrixSymbol(name, K, K) for name in ("L", "L_o", "T_o"))
    y = sp.MatrixSymbol("y", K, 1)
    b, nu = sp.symbols("b nu", positive=True)
    e = sp.Symbol("e", real=True)
    # Densities of the code, of the data for one code, of the data; of the prior, also at the rotated point.
    x, z = sp.symbols("x z", real=True)
    f, h, m, p, rotated = (sp.Function(name, positive=True) for name in ("f", "h", "m", "p", "p_o"))
    encoder = sp.Function("q")(z, x)
    # At one point: the densities of code, prior and rotated prior.
    u, s, w = sp.symbols("u s w", positive=True)
    before, after = sp.symbols("d d_r", real=True)
    # The loss without the divergence from the prior, this divergence, and the least values of both.
    rest, least_rest, far, nearest = sp.symbols("c c_o k k_o", real=True)
    moved = (T * V, T * Q * T.T, W * T.I)
    code = T * C * T.T
    student = sp.log(b) / 2 - (nu + 1) * sp.log(1 + b * e**2 / nu) / 2
    share = b * e**2 / (nu + b * e**2)

    def mean_over_pairs(function):
        return OverAll(f(z) * OverAll(h(x, z) * function, x), z)

    def divergence(first, second):
        return OverAll(first(z) * sp.log(first(z) / second(z)), z)

    bound = least_rest + beta * nearest
    return Derivation(
        name="prior-rotation",
        title="No prior fixes the axes of Gaussian data",
        statement=(
            Claim(
                "For a prior of any density $p$ the rate is the mutual information plus the divergence of the code "
                "from $p$.",
                by=("The rate is information and a divergence",),
            ),
            Claim(
                "If the code $z$ becomes $T z$ and the decoder undoes it, distortion and mutual information do "
                "not change, for any invertible $T$: of the loss only the divergence from the prior does.",
                by=(
                    "The rate is information and a divergence",
                    "Distortion in another basis",
                    "Mutual information in another basis",
                ),
            ),
            Claim(
                "Let $c_o$ be the least value of the loss without this divergence, and $k_o$ the least divergence of "
                "a Gaussian of mean zero from the prior. Then no loss is below $c_o + \\beta k_o$, and an encoder "
                "reaches it only with the least value of both.",
                by=("A lower bound", "Another divergence is worse", "Another loss without it is worse"),
            ),
            Claim(
                "With a learned decoder and a full posterior covariance it is reached: the basis $T = L_o O L^{-1}$ "
                "turns the covariance $L L^T$ of a code into the covariance $L_o L_o^T$ nearest to the prior, for "
                "every orthogonal $O$. So every optimum for any prior belongs to an orbit of optima under the "
                "orthogonal matrices.",
                by=(
                    "The optima form an orbit",
                    "Distortion in another basis",
                    "Mutual information in another basis",
                    "Another divergence is worse",
                    "Another loss without it is worse",
                ),
            ),
            Claim(
                "With the prior $N(0, I)$ the loss of an encoder, in the basis in which its code has the covariance "
                "$I$, is its loss without the divergence; so $c_o$ is the least loss for this prior. For every prior, "
                "reconstruction and mutual information at the optimum are therefore those of an optimum for $N(0, I)$, "
                "and the loss is larger by $\\beta k_o$.",
                by=(
                    "The loss for the standard prior in another basis",
                    "The optima form an orbit",
                    "Distortion in another basis",
                    "Mutual information in another basis",
                    "A lower bound",
                    "Another loss without it is worse",
                    "gaussian-kl: The divergence is not negative",
                ),
            ),
            Claim(
                "For a prior with independent latents, of whose log density the mean depends on the variances of the "
                "code alone, the nearest Gaussian is diagonal.",
                by=(
                    "Mean log density of a Gaussian code",
                    "hadamard-gap: The gap is not negative",
                    "hadamard-gap: The gap of a matrix with other entries",
                ),
            ),
            Claim(
                "For identical Student densities its variances are equal: in the slope in a variance $b$ the bracket "
                "falls strictly as $b$ grows, for every $e \\ne 0$, so that its mean over $e \\sim N(0, 1)$ is zero at "
                "one $b$ at most.",
                by=("Identical Student densities", "The bracket falls"),
            ),
            Claim(
                "If the code is not Gaussian, a rotation $O$ costs $\\beta$ times the mean of $\\log[p(z)/p(O z)]$: "
                "the divergence of the code from the rotated prior, less that from the prior.",
                by=(
                    "Factors that are not Gaussian",
                    "The energy of a rotation",
                    "The rate is information and a divergence",
                    "Distortion in another basis",
                ),
            ),
            Claim(
                "If the distribution of the code is the prior, this is not negative, and it is zero only if the "
                "rotation leaves the prior invariant.",
                by=(
                    "The energy at the prior",
                    "gibbs-inequality: The integrand is positive where the densities differ",
                ),
            ),
        ),
        assumptions=(
            "For Gaussian data the code is Gaussian with mean zero and covariance $C = V S V^T + Q$; the prior has any "
            "density $p$ for which some Gaussian of mean zero is nearest.",
        ),
        scope="The densities on any space; the change of basis for every $K$, $D$ and prior.",
        matrices={
            Q: "positive",
            S: "positive",
            C: "positive",
            M: "positive",
            rotation_matrix: "orthogonal",
            T: "invertible",
            change: "invertible",
            root: "invertible",
            target: "invertible",
        },
        moments={y: M},
        functions=dict.fromkeys((f, h, m, p, rotated), "density"),
        steps=(
            Step(
                "The rate is information and a divergence",
                sp.Eq(
                    mean_over_pairs(sp.log(encoder / p(z))),
                    mean_over_pairs(sp.log(h(x, z) / m(x))) + divergence(f, p),
                    evaluate=False,
                ),
                "Let $f$ be the density of the code, $m$ that of the data, and $h(x, z)$ that of the data $x$ whose "
                "code is $z$. The left side is the expectation of $\\log q(z|x)/p(z)$. By Bayes' rule $q(z|x)/f(z) = "
                "h(x, z)/m(x)$, of whose logarithm the expectation is the mutual information.",
                let=(Let(encoder, f(z) * h(x, z) / m(x), "$q(z|x)$ by Bayes' rule"),),
                wrong_form=mean_over_pairs(sp.log(h(x, z) / m(x))) - divergence(f, p),
            ),
            Step(
                "Mean log density of a Gaussian code",
                sp.Eq(
                    Expectation(-(K * sp.log(2 * sp.pi) + LogDet(M) + SquaredNorm(y, M.I)) / 2),
                    -K * (1 + sp.log(2 * sp.pi)) / 2 - LogDet(M) / 2,
                    evaluate=False,
                ),
                "For a code $y$ of covariance $M$. The divergence from the prior is this mean less that of "
                "$\\log p$. For the encoder it is the same with $M = Q$.",
                wrong_form=-K * (1 + sp.log(2 * sp.pi)) / 2 + LogDet(M) / 2,
            ),
            Step(
                "Distortion in another basis",
                sp.Eq(distortion(*moved), distortion(), evaluate=False),
                "Let the code be $T z$ and the decoder undo it.",
                wrong_form=distortion(V, 2 * Q),
            ),
            Step(
                "Mutual information in another basis",
                sp.Eq(
                    (LogDet(code) - LogDet(T * Q * T.T)) / 2,
                    mutual_information(),
                    evaluate=False,
                ),
                "Both determinants take the factor $(\\det T)^2$.",
                let=(AGGREGATE,),
                wrong_form=(LogDet(C) + LogDet(Q)) / 2,
            ),
            Step(
                "The loss for the standard prior in another basis",
                sp.Eq(
                    loss(*moved),
                    reconstruction(distortion())
                    + beta * (mutual_information() + (sp.Trace(code) - K - LogDet(code)) / 2),
                    evaluate=False,
                ),
                "The last bracket is the divergence of $N(0, T C T^T)$ from $N(0, I)$. It is zero where $T C T^T = I$; "
                "the loss is then that without the divergence.",
                wrong_form=reconstruction(distortion())
                + beta * (mutual_information() - (sp.Trace(code) - K - LogDet(code)) / 2),
            ),
            Step(
                "The optima form an orbit",
                sp.Eq(change * root * root.T * change.T, target * target.T, evaluate=False),
                "$L L^T$ is the covariance of a code. With $L_o L_o^T$ the one nearest to the prior, the divergence in "
                "the basis $T_o$ is the least; with $L_o = I$ the code has the covariance $I$.",
                let=(Let(change, target * rotation_matrix * root.I, "a change of basis"),),
                wrong_form=2 * target * target.T,
            ),
            Step(
                "A lower bound",
                sp.Ge(rest + beta * far, bound, evaluate=False),
                "With $c$ the reconstruction plus $\\beta$ times the mutual information of an encoder, and $k$ the "
                "divergence of its code from the prior.",
                where=(rest >= least_rest, far >= nearest),
            ),
            Step(
                "Another divergence is worse",
                sp.Gt(rest + beta * far, bound, evaluate=False),
                "The second term is larger.",
                where=(rest >= least_rest, far > nearest),
            ),
            Step(
                "Another loss without it is worse",
                sp.Gt(rest + beta * far, bound, evaluate=False),
                "The first term is larger.",
                where=(rest > least_rest, far >= nearest),
            ),
            Step(
                "Identical Student densities",
                sp.Eq(
                    sp.Derivative(student, b),
                    (1 - (nu + 1) * share) / (2 * b),
                    evaluate=False,
                ),
                "The mean over $e \\sim N(0, 1)$ of what is differentiated is, up to a constant, minus the divergence "
                "of $N(0, b)$ from the Student density.",
            ),
            Step(
                "The bracket falls",
                sp.Lt(sp.Derivative(1 - (nu + 1) * share, b), 0, evaluate=False),
                "It is $-(\\nu + 1) \\nu e^2/(\\nu + b e^2)^2$: the bracket falls from 1 to $-\\nu$.",
                where=(sp.Ne(e, 0),),
            ),
            Step(
                "Factors that are not Gaussian",
                sp.Eq(sp.log(s / w), after - before, evaluate=False),
                "At one point, with $u$ the density of the code, $s$ that of the prior there and $w$ that of the prior "
                "at the rotated point.",
                let=(
                    Let(before, sp.log(u / s), "the log ratio of code and prior"),
                    Let(after, sp.log(u / w), "the same for the rotated code"),
                ),
                wrong_form=after + before,
            ),
            Step(
                "The energy of a rotation",
                sp.Eq(
                    OverAll(f(z) * sp.log(p(z) / rotated(z)), z),
                    divergence(f, rotated) - divergence(f, p),
                    evaluate=False,
                ),
                "The same in the mean over the code, with $p_o(z) = p(O z)$ the density of the rotated prior.",
                wrong_form=divergence(f, rotated) + divergence(f, p),
            ),
            Step(
                "The energy at the prior",
                sp.Ge(OverAll(p(z) * sp.log(p(z) / rotated(z)), z), 0, evaluate=False),
                "With $f = p$ the energy is the divergence of the prior from the rotated one.",
                uses=(use_integrand(p(z), rotated(z), over=z),),
            ),
        ),
        results=("The rate is information and a divergence", "The optima form an orbit"),
        sources=(
            Source("mathieu2019", "in its setting; the linear-Gaussian model differs from it in the orbit of optima"),
        ),
        builds_on=("elbo-parts", "gaussian-kl", "gibbs-inequality", "hadamard-gap"),
    )
