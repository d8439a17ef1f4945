"""The optimum against a general-purpose optimiser on all parameters.

The loss is written here again from its definition, as a function of decoder, encoder, the Cholesky factor of the
posterior covariance (with the block pattern of the family) and, if learned, log s2. Several random starts by L-BFGS, a
trust region from the best of them, then Newton steps with the pseudo-inverse of the Hessian, because rotations and
unused directions leave the minimum flat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize

from tests.cases import CASES, Case
from theory.learning import optimum
from theory.model import LinearVAE
from theory.objective import elbo_terms
from theory.partition import partition, partition_mask

# Each case in each family; groups are {all but the last latent} and {the last}, for two latents the diagonal again.
PROBLEMS = [
    (case, family)
    for case in CASES
    for family in ("diagonal", "full", (tuple(range(case.latent_dim - 1)), (case.latent_dim - 1,)))
    if isinstance(family, str) or case.latent_dim > 2
]
STARTS = 3


@dataclass(frozen=True)
class Problem:
    """The loss of one case as a function of one vector, which may be complex: derivatives are by complex steps."""

    case: Case
    posterior: str | tuple
    learned: bool

    @property
    def pattern(self):
        """Rows and columns of the free entries of the Cholesky factor; its diagonal is stored as a logarithm."""
        mask = partition_mask(partition(self.posterior, self.case.latent_dim), self.case.latent_dim)
        return np.nonzero(np.tril(mask))

    @property
    def size(self) -> int:
        return 2 * self.case.data_dim * self.case.latent_dim + len(self.pattern[0]) + self.learned

    def unpack(self, point):
        data_dim, latent_dim = self.case.data_dim, self.case.latent_dim
        rows, columns = self.pattern
        decoder, encoder, entries, noise = np.split(point, np.cumsum([data_dim * latent_dim] * 2 + [len(rows)]))
        root = np.zeros((latent_dim, latent_dim), dtype=point.dtype)
        root[rows, columns] = np.where(rows == columns, np.exp(entries), entries)
        noise = np.exp(noise[0]) if self.learned else self.case.noise_variance
        return decoder.reshape(data_dim, latent_dim), encoder.reshape(latent_dim, data_dim), root, noise

    def loss_and_gradient(self, point):
        decoder, encoder, root, noise = self.unpack(point)
        covariance, beta, data_dim = self.case.covariance, self.case.beta, self.case.data_dim
        encoded = encoder @ covariance
        code = encoded @ encoder.T + root @ root.T
        distortion = np.trace(covariance) - 2 * np.sum(decoder * encoded.T) + np.sum(decoder * (decoder @ code))
        rate = (np.trace(code) - len(code)) / 2 - np.sum(np.log(np.diagonal(root)))
        loss = distortion / (2 * noise) + data_dim / 2 * np.log(2 * np.pi * noise) + beta * rate

        by_code = decoder.T @ decoder / noise + beta * np.eye(len(code))  # twice the derivative in C
        by_root = by_code @ root
        rows, columns = self.pattern
        diagonal = rows == columns
        by_entries = by_root[rows, columns]
        by_entries[diagonal] = by_entries[diagonal] * np.diagonal(root) - beta
        parts = [
            ((decoder @ code - encoded.T) / noise).ravel(),
            (by_code @ encoded - decoder.T @ covariance / noise).ravel(),
            by_entries,
            [data_dim / 2 - distortion / (2 * noise)] if self.learned else [],
        ]
        return loss, np.concatenate(parts)

    def hessian(self, point):
        step = 1e-30  # of a complex step: the truncation error vanishes and nothing is subtracted
        columns = [self.loss_and_gradient(point + 1j * step * unit)[1].imag / step for unit in np.eye(self.size)]
        return np.array(columns)

    def minimise(self, rng):
        starts = [
            minimize(
                self.loss_and_gradient,
                0.5 * rng.standard_normal(self.size),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-14, "maxcor": 30},
            )
            for _ in range(STARTS)
        ]
        best = min(starts, key=lambda start: start.fun).x
        # The second starts where the first ends: ill-conditioned data need a Hessian.
        point = minimize(
            self.loss_and_gradient,
            best,
            jac=True,
            hess=self.hessian,
            method="trust-exact",
            options={"gtol": 1e-5, "maxiter": 100},
        ).x
        for _ in range(10):
            gradient, hessian = self.loss_and_gradient(point)[1], self.hessian(point)
            point = point - np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-12, hermitian=True) @ gradient
        return point

    def vae(self, point) -> LinearVAE:
        decoder, encoder, root, noise = self.unpack(point)
        return LinearVAE(decoder, encoder, root @ root.T, noise)

    def pack(self, vae: LinearVAE):
        root = np.linalg.cholesky(vae.posterior_covariance)
        entries = np.where(np.eye(len(root), dtype=bool), np.log(np.where(root > 0, root, 1.0)), root)[self.pattern]
        noise = [np.log(vae.noise_variance)] if self.learned else []
        return np.concatenate([vae.decoder.ravel(), vae.encoder.ravel(), entries, noise])

    def closed_form(self):
        noise = "learned" if self.learned else self.case.noise_variance
        return optimum(
            self.case.covariance,
            self.case.latent_dim,
            beta=self.case.beta,
            noise_variance=noise,
            posterior=self.posterior,
        )


@pytest.mark.parametrize("learned", [False, True], ids=["fixed", "learned"])
@pytest.mark.parametrize(("case", "family"), PROBLEMS, ids=str)
def test_no_other_vae_is_better_and_its_parts_are_the_same(case, family, learned):
    problem = Problem(case, family, learned)
    point = problem.minimise(np.random.default_rng(100 + case.seed))
    found, best = elbo_terms(problem.vae(point), case.covariance), problem.closed_form()
    # Beside 1e-11: the distortion is a difference of terms as large as tr S, divided by 2 s2.
    rounding = 2 * np.finfo(float).eps * sum(case.eigenvalues) / best.noise_variance
    close = 1e-11 * max(1, abs(best.loss)) + rounding
    assert problem.loss_and_gradient(point)[0] == pytest.approx(best.loss, rel=0, abs=close)
    # At its threshold a mode adds w^4 to the loss, not w^2: Newton then closes in by a third a step, and the parts move
    # with w^2, the square root of what the loss can resolve.
    close = 1e-5 if case.critical_mode is not None else 1e-9
    assert found.distortion == pytest.approx(best.distortion, abs=close)
    assert found.rate == pytest.approx(best.rate, abs=close)
    assert found.mutual_information == pytest.approx(best.rate, abs=close)
    assert found.total_correlation == pytest.approx(0, abs=close)
    assert found.dimension_wise_kl == pytest.approx(0, abs=close)
    assert problem.unpack(point)[-1] == pytest.approx(best.noise_variance, abs=close)


@pytest.mark.parametrize("learned", [False, True], ids=["fixed", "learned"])
@pytest.mark.parametrize(("case", "family"), PROBLEMS, ids=str)
def test_gradient_is_zero_and_no_curvature_negative_at_the_optimum(case, family, learned):
    problem = Problem(case, family, learned)
    point = problem.pack(problem.closed_form().vae)
    gradient, hessian = problem.loss_and_gradient(point)[1], problem.hessian(point)
    scale = np.abs(hessian).max()
    # The gradient is a difference of terms as large as the curvature times a weight; at a threshold the weight of the
    # critical mode is the square root of a rounding error, where the loss is flat to fourth order.
    np.testing.assert_allclose(gradient / scale, 0, atol=1e-12)
    assert np.linalg.eigvalsh((hessian + hessian.T) / 2)[0] / scale > -1e-12


@pytest.mark.parametrize("learned", [False, True], ids=["fixed", "learned"])
def test_the_gradient_used_here_is_that_of_the_loss_used_here(learned):
    problem = Problem(*PROBLEMS[2], learned)
    point = np.random.default_rng(0).standard_normal(problem.size)
    steps = 1e-30j * np.eye(problem.size)
    by_steps = [problem.loss_and_gradient(point + step)[0].imag / 1e-30 for step in steps]
    np.testing.assert_allclose(problem.loss_and_gradient(point)[1], by_steps, rtol=1e-12, atol=1e-12)
