"""What the functions of `theory.groups` compute, on the pages of the chapter groups."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
from scipy.differentiate import derivative
from scipy.optimize import brentq, minimize

import theory
from theory.derivations.engine.tie import Formula, Tie
from theory.derivations.ties.inputs import random_covariance, random_model
from theory.groups import Weights, minibatch_offset
from theory.objective import loss_from_parts
from theory.partition import partition, partition_mask

__all__ = ["TIES", "UNTIED"]

GROUPINGS = ([[0, 1], [2]], [[2, 0], [1]], [[0], [1, 2]])
PARTITIONS = ("diagonal", "full", [[0, 1], [2]], [[2, 0], [1]])
WEIGHTS = (Weights(1.3, 2.0, 0.4, 0.7), Weights(0.8, 0.5, 1.9, 1.2), Weights(1.0, 3.0, 1.0, 1.0), Weights.uniform(0.6))


def _mask(groups, latent_dim: int) -> np.ndarray:
    return partition_mask(partition(groups, latent_dim), latent_dim).astype(float)


def _of_code(formula, code, groups) -> float:
    """A formula of the covariance of a code and a partition of its latents."""
    return formula(C=code, B=_mask(groups, len(code)), K=len(code))


def _codes():
    """A VAE of three latents, the covariance of its data, and that of its code; one code is nearly singular."""
    rng = np.random.default_rng(1)
    for data_dim, share in ((4, 1.0), (2, 1.0), (5, 0.02)):
        vae, covariance = random_model(data_dim, 3, rng, share=share), random_covariance(data_dim, rng)
        yield vae, covariance, _code(vae, covariance)


def _grouped_part(part: str):
    def cases(grouped_terms, formula):
        for vae, covariance, code in _codes():
            for groups in GROUPINGS:
                found, wanted = grouped_terms(vae, covariance, groups), _of_code(formula, code, groups)
                if part == "total":
                    yield found.between + found.within.sum(), wanted
                elif part == "between":
                    yield found.between, wanted
                else:
                    inside = [_of_code(formula, code[np.ix_(group, group)], "full") for group in groups]
                    yield found.within, inside
                    yield found.within.sum(), wanted

    return cases


def _of_single_latents(grouped_terms, formula):
    """All of the total correlation is between groups of one, and within the group of all."""
    for vae, covariance, code in _codes():
        wanted = _of_code(formula, code, "diagonal")
        yield grouped_terms(vae, covariance, "diagonal").between, wanted
        yield grouped_terms(vae, covariance, "full").within, [wanted]


def _path(part: str):
    def cases(total_correlation_path, formula):
        for _, _, code in _codes():
            for groups in GROUPINGS:
                found, wanted = total_correlation_path(code, [groups, "diagonal"]), _of_code(formula, code, groups)
                if part == "total":
                    yield found.increments.sum(), wanted
                    yield found.between[-1], wanted
                elif part == "between":
                    yield [found.between[0], found.increments[0]], [wanted] * 2
                else:
                    yield [*np.diff(found.between), *found.increments[1:]], [wanted] * 2 + [0]

    return cases


def _total_correlation(total_correlation, formula):
    for _, _, code in _codes():
        for groups in PARTITIONS:
            yield total_correlation(code), _of_code(formula, code, groups)


def _total_correlation_between(total_correlation, formula):
    for _, _, code in _codes():
        for groups in GROUPINGS:
            yield total_correlation(code, groups), _of_code(formula, code, groups)


def _total_correlation_within(total_correlation, formula):
    """Of all latents as one group, and of the groups of the code."""
    for _, _, code in _codes():
        yield total_correlation(code), _of_code(formula, code, "full")
        for groups in GROUPINGS:
            inside = sum(total_correlation(code[np.ix_(group, group)]) for group in groups)
            yield inside, _of_code(formula, code, groups)


def _total_correlation_of_a_vae(elbo_terms, formula):
    for vae, covariance, code in _codes():
        yield elbo_terms(vae, covariance).total_correlation, _of_code(formula, code, "diagonal")


def _distortion(*groups):
    """Also of the code that is transformed by any matrix, in the old numbers."""

    def cases(terms, formula):
        for vae, moved, covariance in _transformations():
            numbers = {"V": vae.encoder, "Q": vae.posterior_covariance, "W": vae.decoder, "S": covariance}
            for model in (vae, moved):
                yield terms(model, covariance, *groups).distortion, formula(**numbers)

    return cases


def _information(*groups):
    def cases(terms, formula):
        for vae, moved, covariance in _transformations():
            wanted = formula(C=_code(vae, covariance), Q=vae.posterior_covariance)
            for model in (vae, moved):
                yield terms(model, covariance, *groups).mutual_information, wanted

    return cases


def _transformations():
    """A VAE, the same with a transformed code, and the covariance of the data."""
    rng = np.random.default_rng(2)
    for data_dim, latent_dim in ((4, 3), (2, 4), (5, 1)):
        vae = random_model(data_dim, latent_dim, rng)
        yield vae, _transformed(vae, rng), random_covariance(data_dim, rng)


def _least_value(part: str):
    """The loss of a plain optimum, transformed by any matrix, without the parts of the rate that a whitening removes.

    Weights other than that of the information change nothing.
    """

    def cases(learned_decoder_value, formula):
        rng = np.random.default_rng(4)
        for eigenvalues, latent_dim in (([5.0, 2.0, 1.0, 0.4], 3), ([3.0, 3.0, 1.0, 0.2], 2), ([4.0, 0.7, 0.0], 4)):
            basis = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))[0]
            covariance = basis * eigenvalues @ basis.T
            for info, noise in ((1.2, 0.5), (0.7, 0.3)):
                plain = theory.optimum(covariance, latent_dim, beta=info, noise_variance=noise).vae
                terms, moved = theory.elbo_terms(plain, covariance), _transformed(plain, rng)
                if part == "distortion":
                    numbers = {"V": moved.encoder, "Q": moved.posterior_covariance, "W": moved.decoder}
                    parts = formula(**numbers, S=covariance), terms.mutual_information
                else:
                    code = _code(moved, covariance)
                    parts = terms.distortion, formula(C=code, Q=moved.posterior_covariance)
                wanted = loss_from_parts(*parts, noise, info, len(covariance))
                for weights in (Weights(info, 3.0, 0.0, 0.2), Weights(info, 0.1, 2.0, 1.0)):
                    found = learned_decoder_value(covariance, latent_dim, weights, noise_variance=noise)
                    yield [found.value, found.plain], [wanted, wanted]

    return cases


def _collected(grouped_loss, formula):
    rng = np.random.default_rng(5)
    for weights in WEIGHTS:
        for groups in PARTITIONS:
            vae, covariance = random_model(4, 3, rng), random_covariance(4, rng)
            found = grouped_loss(*_arrays(vae), covariance, weights, groups)
            lost = theory.elbo_terms(vae, covariance).reconstruction
            yield found - lost, _collected_cost(formula, weights, groups, vae, covariance)


def _gradient(grouped_gradient, formula):
    """Its products with random directions are slopes of the page's objective."""
    rng = np.random.default_rng(6)
    for weights, groups in zip(WEIGHTS, PARTITIONS, strict=True):
        for data_dim, latent_dim in ((4, 3), (2, 3)):
            vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
            found = grouped_gradient(*_arrays(vae), covariance, weights, groups)
            loss = partial(_loss, formula, weights, groups, covariance=covariance)
            slopes = (found.decoder, found.encoder, found.posterior_covariance, np.array(found.noise_variance))
            for part, slope in enumerate(slopes):
                direction = 0.3 * rng.standard_normal(slope.shape)
                if part == 2:
                    direction = direction @ direction.T
                directions = [direction if at == part else 0.0 for at in range(4)]
                yield np.sum(slope * direction), _slope(loss, vae, directions)


def _gradient_along(part: str):
    """Products of the gradient with random changes of the gain, or of the posterior covariance."""

    def cases(grouped_gradient, formula):
        rng = np.random.default_rng(12)
        for weights, groups in zip(WEIGHTS, PARTITIONS, strict=True):
            for data_dim, latent_dim in ((4, 3), (2, 3)):
                vae, covariance = random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng)
                found = grouped_gradient(*_arrays(vae), covariance, weights, groups)
                numbers = _numbers_of(vae, covariance, weights, groups)
                if part == "encoder":
                    change = rng.standard_normal((latent_dim, data_dim))
                    wanted = formula(**numbers, X=change)
                else:
                    plus, minus = random_covariance(latent_dim, rng), random_covariance(latent_dim, rng)
                    change, wanted = plus - minus, formula(**numbers, Y=plus, Z=minus)
                yield np.sum(getattr(found, part) * change), wanted

    return cases


def _best_code(grouped_optimum, formula):
    """Its loss is that of the page, stationary in every direction that the family leaves."""
    rng = np.random.default_rng(7)
    families, data_dims = ("diagonal", "diagonal", [[0, 1], [2]], "full"), (4, 2, 4, 3)
    for weights, groups, posterior, data_dim in zip(WEIGHTS, PARTITIONS, families, data_dims, strict=True):
        decoder, covariance = rng.standard_normal((data_dim, 3)), random_covariance(data_dim, rng)
        found = grouped_optimum(decoder, 0.4, covariance, weights, groups, posterior=posterior)
        loss = partial(_loss, formula, weights, groups, covariance=covariance)
        yield found.loss, loss(found.vae)
        together, width = partition_mask(partition(posterior, 3), 3), found.vae.posterior_covariance
        yield width, np.where(together, width, 0)
        for _ in range(3):
            gain, change = 0.3 * rng.standard_normal((3, data_dim)), 0.1 * random_covariance(3, rng) * together
            yield _slope(loss, found.vae, (0.0, gain, change, 0.0)), 0.0


def _best_along(part: str):
    """The slopes of the page vanish at the optimum, in every direction that the family leaves."""

    def cases(grouped_optimum, formula):
        rng = np.random.default_rng(13)
        families = ("diagonal", "diagonal", [[0, 1], [2]], "full")
        for weights, groups, posterior in zip(WEIGHTS, PARTITIONS, families, strict=True):
            decoder, covariance = rng.standard_normal((4, 3)), random_covariance(4, rng)
            vae = grouped_optimum(decoder, 0.4, covariance, weights, groups, posterior=posterior).vae
            numbers = _numbers_of(vae, covariance, weights, groups)
            for _ in range(3):
                if part == "encoder":
                    yield formula(**numbers, X=0.3 * rng.standard_normal((3, 4))), 0.0
                else:
                    plus, minus = (0.1 * random_covariance(3, rng) * _mask(posterior, 3) for _ in range(2))
                    yield formula(**numbers, Y=plus, Z=minus), 0.0

    return cases


def _unbounded(learned_decoder_value, formula):
    """Copies decide if both weights are negative: the cost of one signal falls without bound as e goes to zero."""
    covariance = np.diag([3.0, 2.0, 1.0, 0.5])
    for info, across, inside in (
        (1.3, -0.4, -0.7),
        (1.3, -0.6, -0.7001),
        (1.3, -0.6, -0.6999),
        (0.5, -0.2, -0.3001),
        (0.5, -0.2, -0.2999),
        (2.0, -0.1, -3.0),
        (2.0, -3.0, -0.1),
    ):
        for groups in GROUPINGS:
            copies = np.array([float(len(group)) for group in groups])
            falls = _falls(formula, info, across, inside, copies)
            found = learned_decoder_value(covariance, 3, Weights(info, across, inside), groups, noise_variance=0.3)
            yield _says_unbounded(found), falls


def _unbounded_in_pairs(learned_decoder_value, formula):
    """Two latents, of one group or of two, of which one weight is negative."""
    covariance = np.diag([3.0, 1.0, 0.5])
    for info, weight in ((1.0, -0.9999), (1.0, -1.0001), (0.3, -0.2), (0.3, -0.5)):
        for groups, negative, copies in (("diagonal", "between", [1.0, 1.0]), ("full", "within", [2.0])):
            weights = Weights(info, **{negative: weight})
            falls = _falls(formula, info, weights.between, weights.within, np.array(copies))
            found = learned_decoder_value(covariance, 2, weights, groups, noise_variance=0.2)
            yield _says_unbounded(found), falls


def _falls(formula, info: float, across: float, inside: float, copies) -> bool:
    """Whether the cost of copies of one signal falls as their noise does."""
    numbers = {"w_I": info, "w_B": across, "w_W": inside, "k": copies, "m": len(copies), "n": int(copies.sum())}
    return formula(**numbers, epsilon=1e-12) < formula(**numbers, epsilon=1e-9)


def _unbounded_by_information(groups, negative: str):
    """The sum over groups is negative for some information that the groups carry, and some total correlation within."""

    def cases(learned_decoder_value, formula):
        covariance, shares = np.diag([3.0, 1.0, 0.5]), np.linspace(0, 1, 11)
        for info, weight in ((1.0, -0.9999), (1.0, -1.0001), (0.3, -0.2), (0.3, -0.5)):
            weights = Weights(info, **{negative: weight})
            numbers = {"w_I": info, "w_B": weights.between, "w_W": weights.within, "j_o": 1.0}
            if groups == "diagonal":
                carried = [(one, other) for one in shares for other in shares if one + other >= 1]
                costs = [formula(**numbers, j=np.array(pair), c=np.zeros(2), m=2) for pair in carried]
            else:
                costs = [formula(**numbers, j=np.ones(1), c=np.array([share]), m=1) for share in shares]
            found = learned_decoder_value(covariance, 2, weights, groups, noise_variance=0.2)
            yield _says_unbounded(found), min(costs) < 0

    return cases


def _says_unbounded(found) -> bool:
    """Or nan, if its value and its status differ."""
    unbounded = found.status == "unbounded"
    return unbounded if unbounded == (found.value == -np.inf) else np.nan


def _shift(correlated_prior_shift, formula):
    """At the only root of the slope."""
    slope = Formula(formula.page, "Best correlation")
    for a in (0.6, -0.9, 0.0, 0.99):
        for w in (0.02, 0.5, 1.0, 3.0, 40.0):
            root = brentq(lambda r, a=a, w=w: slope(r=r, a=a, w=w), -1, 1, xtol=1e-15, rtol=1e-15)
            yield correlated_prior_shift(a, w), formula(r=root, a=a, w=w)


def _least_cost(correlated_prior_shift, formula):
    """The least of the cost over both scales and the correlation of the code."""
    for a in (0.6, -0.9, 0.0):
        for w in (0.5, 1.0, 3.0):
            least = minimize(
                lambda at, a=a, w=w: formula(c=np.exp(at[0]), d=np.exp(at[1]), r=np.tanh(at[2]), a=a, w=w),
                [0.0, 0.2, a],
                tol=1e-9,
            )
            yield correlated_prior_shift(a, w), least.fun


def _penalty_slope(granularity_slope, formula):
    rng = np.random.default_rng(8)
    for data_dim, latent_dim in ((4, 3), (2, 3), (3, 3)):
        for factors in (random_covariance(latent_dim, rng), np.eye(latent_dim)):
            truth = theory.GenerativeModel(rng.standard_normal((data_dim, latent_dim)), 0.49, factors)
            full = theory.optimal_encoder(truth.loading, 0.49, 1.0, posterior="full")
            for groups in PARTITIONS:
                for posterior in ("diagonal", "full", [[1, 2], [0]]):
                    code = _code(
                        theory.optimal_encoder(truth.loading, 0.49, 1.0, posterior=posterior), truth.covariance
                    )
                    together = partition_mask(partition(groups, latent_dim), latent_dim)
                    wanted = formula(
                        L=np.linalg.inv(code * together) - np.linalg.inv(code),
                        P=np.linalg.inv(full.posterior_covariance),
                        W=truth.loading,
                        A=truth.loading,
                        Gamma=factors,
                        S=truth.covariance,
                        sigma=0.7,
                    )
                    yield granularity_slope(truth, groups, posterior=posterior), wanted


def _informative_codes():
    """A VAE of little information, and the covariance of its data."""
    rng = np.random.default_rng(9)
    for data_dim, latent_dim in ((4, 3), (2, 3)):
        yield random_model(data_dim, latent_dim, rng), random_covariance(data_dim, rng) / 20


def _chi(page, vae, covariance, latents) -> float:
    """From the mean of the ratio of these latents."""
    numbers = _encoder_of(vae, covariance, latents)
    return Formula(page, "The mean of the ratio")(**numbers) - 1


def _encoder_of(vae, covariance, latents) -> dict:
    """The numbers of the encoder of some latents."""
    kept = np.ix_(latents, latents)
    return {"V": vae.encoder[latents], "Q": vae.posterior_covariance[kept], "S": covariance}


def _bias(estimator: str):
    """Of the log density of each latent, and of all latents, whose sum and difference two parts are."""

    def cases(minibatch_bias, formula):
        for vae, covariance in _informative_codes():
            for dataset_size, batch_size in ((50, 8), (20, 20), (7, 2)):
                sizes = {"dataset_size": dataset_size, "batch_size": batch_size}
                found = minibatch_bias(vae, covariance, "diagonal", **sizes, estimator=estimator)
                numbers = {"N": float(dataset_size)} if estimator == "stratified" else {}
                numbers["n"] = batch_size - 1
                offset = minibatch_offset("diagonal", 3, dataset_size if estimator == "weighted" else 1)
                chi = np.array([_chi(formula.page, vae, covariance, [latent]) for latent in range(3)])
                yield found.dimension_wise_kl - offset.dimension_wise_kl, formula(chi=chi, **numbers).sum()
                of_all = formula(chi=_chi(formula.page, vae, covariance, [0, 1, 2]), **numbers)
                yield found.mutual_information - offset.mutual_information, -of_all

    return cases


def _bias_between(minibatch_bias, formula):
    """The bracket is the bias at chi = 1; within a group the latents are its groups."""
    for vae, covariance in _informative_codes():
        chi = partial(_chi, formula.page, vae, covariance)
        for estimator, dataset_size in (("stratified", 50.0), ("weighted", 8.0)):
            bracket = Formula(formula.page, "Bias, stratified")(chi=1.0, N=dataset_size, n=7)
            for groups in ([[0, 1], [2]], [[1], [2], [0]], [[2, 0, 1]]):
                found = minibatch_bias(vae, covariance, groups, dataset_size=50, batch_size=8, estimator=estimator)
                offset = minibatch_offset(groups, 3, 50 if estimator == "weighted" else 1)

                def of(parts, chi=chi, bracket=bracket):
                    whole = chi([latent for part in parts for latent in part])
                    return formula(chi=whole, c=np.array([chi(part) for part in parts]), b=bracket, m=len(parts))

                yield found.between - offset.between, of(groups)
                yield found.within - offset.within, [of([[latent] for latent in group]) for group in groups]


def _scale(minibatch_scale, formula):
    for vae, covariance in _informative_codes():
        yield np.log(minibatch_scale(vae, covariance)), formula(**_encoder_of(vae, covariance, [0, 1, 2]))


def _scale_of_a_bias(minibatch_bias, formula):
    for vae, covariance in _informative_codes():
        wanted = np.exp(formula(**_encoder_of(vae, covariance, [0, 1, 2])))
        for batch_size in (int(wanted), int(wanted) + 1):
            found = minibatch_bias(vae, covariance, "diagonal", dataset_size=5000, batch_size=batch_size)
            yield [found.scale, found.in_range], [wanted, batch_size >= wanted]


def _mean_ratio(minibatch_bias, formula):
    """The formula is 1 + chi, of which the bias of the information is a multiple."""
    for vae, covariance in _informative_codes():
        chi = formula(**_encoder_of(vae, covariance, [0, 1, 2])) - 1
        found = minibatch_bias(vae, covariance, "full", dataset_size=50, batch_size=8)
        yield -found.mutual_information, Formula(formula.page, "Bias, stratified")(chi=chi, N=50.0, n=7)


def _offset(minibatch_offset, formula):
    """Between groups and within each; of single latents all but the one that the information has."""
    for groups, latent_dim in (([[0, 1], [2], [3]], 4), ([[2, 0, 1]], 3), ("diagonal", 5)):
        found = minibatch_offset(groups, latent_dim, 50)
        parts = partition(groups, latent_dim)
        yield found.between, formula(m=len(parts), L=np.log(50))
        yield found.within, [formula(m=len(part), L=np.log(50)) for part in parts]
        yield found.mutual_information, formula(m=2, L=np.log(50))
        yield -found.dimension_wise_kl - found.mutual_information, formula(m=latent_dim, L=np.log(50))


def _bound(minibatch_bounds, formula):
    """That of the weight of the own point."""
    for vae, groups, estimator, weight in _bounded():
        found = minibatch_bounds(vae, groups, dataset_size=50, batch_size=8, estimator=estimator)
        yield found.mutual_information, formula(w=weight)


def _bound_between(minibatch_bounds, formula):
    """Where only the first point has a density, the product of two groups is the weight times that of the whole."""
    for vae, groups, estimator, weight in _bounded():
        found = minibatch_bounds(vae, groups, dataset_size=50, batch_size=8, estimator=estimator)
        only_first = np.array([1.0, 0.0])
        product = formula(w=weight, delta=np.array([0.0, 0.3]), H=only_first, Y=only_first, n=1)
        wanted = -np.log(product / weight) * (len(groups) - 1)
        yield found.between, wanted


def _bounded():
    """A VAE whose posterior does not link its groups, the estimator, and the weight of the own point."""
    rng = np.random.default_rng(10)
    for groups in ([[0, 1], [2]], [[2], [0], [1]], [[0, 1, 2]]):
        vae = random_model(4, 3, rng)
        width = vae.posterior_covariance * partition_mask(partition(groups, 3), 3)
        vae = theory.LinearVAE(vae.decoder, vae.encoder, width, vae.noise_variance)
        yield vae, groups, "stratified", 1 / 50
        yield vae, groups, "weighted", 1 / (50 * 8)


def _free_planes(free_planes, formula):
    """A sum over blocks, which need not be of one size."""
    rng = np.random.default_rng(11)
    for sizes in ([4], [3, 3], [1, 1, 1, 1, 1], [2, 4, 1], [3, 2, 2, 5]):
        latents = rng.permutation(sum(sizes))
        blocks = np.split(latents, np.cumsum(sizes)[:-1])
        found = free_planes(1.0 + np.arange(sum(sizes)), posterior=[block.tolist() for block in blocks])
        yield found, sum(formula(m=1, b=size) for size in sizes)
        if len(set(sizes)) == 1:
            yield found, formula(m=len(sizes), b=sizes[0])


def _planes_without_stiffness(free_planes, formula):
    """Ties are free across blocks, and every plane inside a block."""
    inside = Formula(formula.page, "Free planes of equal blocks")
    for precisions, blocks in (
        ([4.0, 3.0, 2.0, 2.0], [[0], [1], [2], [3]]),
        ([4.0, 2.0, 2.0, 1.0, 1.0, 1.0], [[0, 1], [2, 3], [4, 5]]),
        ([1.0, 1.0, 3.0, 1.0, 3.0], [[0, 2, 3], [1, 4]]),
    ):
        across = [(i, j) for one, other in combinations(blocks, 2) for i in one for j in other]
        tied = sum(formula(c_1=precisions[i], c_2=precisions[j], beta=1.3) == 0 for i, j in across)
        wanted = tied + sum(inside(m=1, b=len(block)) for block in blocks)
        yield free_planes(precisions, posterior=blocks), wanted


def _stiffness(rotation_curvature, formula):
    precisions = np.array([6.0, 1.5, 3.0, 3.0, 1.0])
    for posterior in ("diagonal", [[0, 1], [2, 4], [3]], "full"):
        together = partition_mask(partition(posterior, 5), 5)
        for beta in (0.7, 2.0):
            pairs = formula(c_1=precisions[:, np.newaxis], c_2=precisions, beta=beta)
            yield rotation_curvature(precisions, beta, posterior=posterior), np.where(together, 0, pairs)


def _bend(rotation_curvature, formula):
    """The cost of a rotation in the plane of two latents, differentiated twice."""
    precisions = np.array([6.0, 1.5, 3.0])
    found = rotation_curvature(precisions, 1.7)
    for i, j in combinations(range(3), 2):
        cost = partial(formula, c_1=precisions[i], c_2=precisions[j], beta=1.7)

        def slope(angle, cost=cost):
            return derivative(lambda theta: cost(theta=theta), angle, initial_step=0.1, tolerances={"atol": 1e-12}).df

        yield found[i, j], derivative(slope, 0.0, initial_step=0.1, tolerances={"atol": 1e-11}).df


def _collected_cost(formula, weights, groups, vae, covariance) -> float:
    """The page's objective without the reconstruction."""
    numbers = _numbers_of(vae, covariance, weights, groups)
    return formula(**{name: value for name, value in numbers.items() if name not in ("W", "sigma")})


def _numbers_of(vae, covariance, weights, groups) -> dict:
    """What the page calls the parts of a VAE, the data, the weights and the groups."""
    return {
        "W": vae.decoder,
        "V": vae.encoder,
        "Q": vae.posterior_covariance,
        "S": covariance,
        "B": _mask(groups, vae.latent_dim),
        "w_I": weights.mutual_information,
        "w_B": weights.between,
        "w_W": weights.within,
        "w_D": weights.dimension_wise,
        "sigma": np.sqrt(vae.noise_variance),
        "K": vae.latent_dim,
    }


def _loss(formula, weights, groups, vae, *, covariance) -> float:
    lost = theory.elbo_terms(vae, covariance).reconstruction
    return lost + _collected_cost(formula, weights, groups, vae, covariance)


def _slope(loss, vae, directions) -> float:
    """The slope of a loss if decoder, encoder, posterior covariance and noise move in these directions."""

    def moved(step):
        arrays = (array + step * direction for array, direction in zip(_arrays(vae), directions, strict=True))
        return loss(theory.LinearVAE(*arrays))

    return derivative(np.vectorize(moved), 0.0, initial_step=0.02, tolerances={"atol": 1e-10}).df


def _arrays(vae) -> tuple:
    return vae.decoder, vae.encoder, vae.posterior_covariance, vae.noise_variance


def _transformed(vae, rng):
    """The code T z for any invertible T, which the decoder undoes."""
    change = rng.standard_normal((vae.latent_dim,) * 2) + 2 * np.eye(vae.latent_dim)
    width = change @ vae.posterior_covariance @ change.T
    decoder = vae.decoder @ np.linalg.inv(change)
    return theory.LinearVAE(decoder, change @ vae.encoder, (width + width.T) / 2, vae.noise_variance)


def _code(vae, covariance) -> np.ndarray:
    code = vae.encoder @ covariance @ vae.encoder.T + vae.posterior_covariance
    return (code + code.T) / 2


TERMS, PATH = "theory.groups.grouped_terms", "theory.groups.total_correlation_path"
TOTAL, ELBO = "theory.gaussian.total_correlation", "theory.elbo_terms"
VALUE, SHIFT = "theory.groups.learned_decoder_value", "theory.groups.correlated_prior_shift"
LOSS, GRADIENT = "theory.groups.grouped_loss", "theory.groups.grouped_gradient"
OPTIMUM, SLOPE = "theory.groups.grouped_optimum", "theory.groups.granularity_slope"
BIAS, OFFSET = "theory.groups.minibatch_bias", "theory.groups.minibatch_offset"
SCALE, BOUNDS = "theory.groups.minibatch_scale", "theory.groups.minibatch_bounds"
PLANES, CURVATURE = "theory.groups.free_planes", "theory.axes.rotation_curvature"

CHAIN, COLLECTED = "Chain rule of a Gaussian", "Collected by determinants"
MOVED_DISTORTION, MOVED_INFORMATION = "Distortion under a change of code", "Mutual information under a change of code"
GAIN, SPREAD = "Slope in the gain", "Slope in the posterior covariance"
COPIES, GROUP_BY_GROUP = "One signal in many latents", "Group by group"

TIES = (
    Tie(TERMS, "total-correlation", "c_B", _grouped_part("between")),
    Tie(TERMS, "total-correlation", "c_W", _grouped_part("within")),
    Tie(TERMS, "total-correlation", CHAIN, _grouped_part("total")),
    Tie(TERMS, "total-correlation", CHAIN, _of_single_latents),
    Tie(TERMS, "total-correlation", MOVED_DISTORTION, _distortion("diagonal")),
    Tie(TERMS, "total-correlation", MOVED_INFORMATION, _information("full")),
    Tie(PATH, "total-correlation", "c_B", _path("between")),
    Tie(PATH, "total-correlation", "c_W", _path("within")),
    Tie(PATH, "total-correlation", CHAIN, _path("total")),
    Tie(TOTAL, "total-correlation", CHAIN, _total_correlation),
    Tie(TOTAL, "total-correlation", "c_B", _total_correlation_between),
    Tie(TOTAL, "total-correlation", "c_W", _total_correlation_within),
    Tie(ELBO, "total-correlation", CHAIN, _total_correlation_of_a_vae),
    Tie(ELBO, "total-correlation", MOVED_DISTORTION, _distortion()),
    Tie(ELBO, "total-correlation", MOVED_INFORMATION, _information()),
    Tie(VALUE, "total-correlation", MOVED_DISTORTION, _least_value("distortion")),
    Tie(VALUE, "total-correlation", MOVED_INFORMATION, _least_value("information")),
    Tie(LOSS, "grouped-objective", COLLECTED, _collected),
    Tie(GRADIENT, "grouped-objective", COLLECTED, _gradient, tolerance=1e-7),
    Tie(GRADIENT, "grouped-objective", GAIN, _gradient_along("encoder")),
    Tie(GRADIENT, "grouped-objective", SPREAD, _gradient_along("posterior_covariance")),
    Tie(OPTIMUM, "grouped-objective", COLLECTED, _best_code, tolerance=1e-7, scale=1.0),
    Tie(OPTIMUM, "grouped-objective", GAIN, _best_along("encoder"), tolerance=1e-7, scale=1.0),
    Tie(OPTIMUM, "grouped-objective", SPREAD, _best_along("posterior_covariance"), tolerance=1e-7, scale=1.0),
    Tie(VALUE, "copied-signals", COPIES, _unbounded),
    Tie(VALUE, "copied-signals", COPIES, _unbounded_in_pairs),
    Tie(VALUE, "copied-signals", GROUP_BY_GROUP, _unbounded_by_information("diagonal", "between")),
    Tie(VALUE, "copied-signals", GROUP_BY_GROUP, _unbounded_by_information("full", "within")),
    Tie(SHIFT, "correlated-prior", "phi(r)", _shift),
    Tie(SHIFT, "correlated-prior", "f(c, d, r)", _least_cost),
    Tie(SLOPE, "granularity-slope", "Slope", _penalty_slope),
    Tie(BIAS, "minibatch-estimates", "Bias, stratified", _bias("stratified")),
    Tie(BIAS, "minibatch-estimates", "Bias, weighted", _bias("weighted")),
    Tie(BIAS, "minibatch-estimates", "Bias between groups", _bias_between),
    Tie(BIAS, "minibatch-estimates", "The mean of the ratio", _mean_ratio),
    Tie(BIAS, "minibatch-estimates", "Where the mean comes from", _scale_of_a_bias),
    Tie(SCALE, "minibatch-estimates", "Where the mean comes from", _scale),
    Tie(OFFSET, "minibatch-estimates", "Offset between groups", _offset),
    Tie(BOUNDS, "minibatch-estimates", "Bound of the information", _bound),
    Tie(BOUNDS, "minibatch-estimates", "Bound between groups", _bound_between),
    Tie(PLANES, "block-posterior", "Free planes of equal blocks", _free_planes),
    Tie(PLANES, "block-posterior", "Stiffness", _planes_without_stiffness),
    Tie(CURVATURE, "block-posterior", "Stiffness", _stiffness),
    Tie(CURVATURE, "block-posterior", "f(theta)", _bend, tolerance=1e-7),
)

UNTIED: dict[tuple[str, str], str] = {}
