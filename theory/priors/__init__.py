"""Prior families: density, samples, covariance, expected log density under a Gaussian code, and symmetries.

A symmetry of a prior is a matrix M with p(M z) = p(z) for every z. They tell which axes a prior could tell apart:

    N(0, Pi)                      Pi^(1/2) O(K) Pi^(-1/2): a whole rotation group, whatever Pi is
    product of Student-t          signed permutations
    spike and slab                signed permutations
    four clusters in the plane    signed permutations, the eight symmetries of the square

Proofs of the last three. The density of the Student product is a power of the product of 1 + z_j^2 / nu, and this
polynomial splits into linear factors in only one way, so M permutes the z_j up to sign. The components of a finite
mixture of Gaussians are determined by its density, and |det M| = 1, so M permutes components of equal determinant: the
one in which all latents are in their spike stays, hence M is orthogonal, and those with a single slab go to each other.
The modes +-d e_j of the clusters go to modes.

E log p(z), z ~ N(m, C), is closed for Gaussian priors. The others are products of one-dimensional densities (that of
the clusters along the diagonals of the plane: cosh a + cosh b = 2 cosh((a+b)/2) cosh((a-b)/2)), and so need only
integrals over one Gaussian variable; see `theory.priors.shared`. They are good to 1e-12 of the largest part of the
result (its logarithms or its mean squares), from a code of variance 1e-40 to one of 1e40 and for every prior that is
accepted: measured against adaptive quadrature in 30 digits, 1e-14.

A prior of another class works too, wherever a prior is wanted, if it has what `Prior` lists.
"""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.priors.aggregate": "aggregate_divergence kernel_mean",
        "theory.priors.annealing": (
            "annealed_terms AnnealedTerms gaussian_log_normaliser rescale rescaled_terms RescaledTerms "
            "student_log_normaliser"
        ),
        "theory.priors.clusters": "ClusterPrior",
        "theory.priors.gaussian": "GaussianPrior",
        "theory.priors.products": "SpikeSlabPrior StudentPrior",
        "theory.priors.protocol": "Prior",
        "theory.priors.regularised": "regularised_encoder regularised_terms RegularisedEncoder RegularisedTerms",
        "theory.priors.rotation": (
            "factor_rotation_energy nearest_gaussian prior_optimum prior_rotation_energy PriorOptimum"
        ),
    },
)
