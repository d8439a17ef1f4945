"""Prior families: density, samples, covariance, expected log density under a Gaussian code, and symmetries.

**Symmetries.** A symmetry of a prior is a matrix M with p(M z) = p(z) for every z. The fewer there are, the more axes a
prior can distinguish:

    N(0, Pi)                      Pi^(1/2) O(K) Pi^(-1/2): a whole rotation group, whatever Pi is
    product of Student-t          signed permutations
    spike and slab                signed permutations
    four clusters in the plane    signed permutations, the eight symmetries of the square

*Proofs of the last three.* The density of the Student product is a power of the product of 1 + z_j^2 / nu. This
polynomial splits into linear factors in only one way, so M permutes the z_j up to sign. The components of a finite
mixture of Gaussians are determined by its density, and |det M| = 1, so M permutes components of equal determinant: it
maps the component in which all latents are in their spike to itself, hence M is orthogonal, and permutes those with a
single slab. The modes +-d e_j of the clusters are mapped to modes.

**Expected log densities.** E log p(z), z ~ N(m, C), is closed for Gaussian priors. All other families are products of
one-dimensional densities (the clusters along the diagonals of the plane: cosh a + cosh b = 2 cosh((a+b)/2)
cosh((a-b)/2)), and need only integrals over one Gaussian variable (`theory.priors.quadrature`). Their error is at most
1e-12 of the largest part of the result (its logarithms or its mean squares), for codes of variance 1e-40 to 1e40.

**Your own.** An object of any class with the members of `Prior` is accepted wherever a prior is.
"""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.priors.aggregate": "aggregate_divergence kernel_mean",
        "theory.priors.annealing": "annealed_terms AnnealedTerms rescale rescaled_terms RescaledTerms",
        "theory.priors.clusters": "ClusterPrior",
        "theory.priors.gaussian": "gaussian_log_normaliser GaussianPrior",
        "theory.priors.optimum": "nearest_gaussian prior_optimum PriorOptimum",
        "theory.priors.protocol": "Prior",
        "theory.priors.regularised": "regularised_encoder regularised_terms RegularisedEncoder RegularisedTerms",
        "theory.priors.rotation": "factor_rotation_energy prior_rotation_energy",
        "theory.priors.spike_slab": "SpikeSlabPrior",
        "theory.priors.student": "student_log_normaliser StudentPrior",
    },
)
