"""Disentanglement scores of a Gaussian code, in closed form.

**Formulas.** Factors s and code z are jointly Gaussian, with correlations r_ij (factor i, code j):

    mutual information      I(s_i; z_j) = -1/2 log(1 - r_ij^2), in nats
    MIG                     mean_i [I_i(1) - I_i(2)] / H(s_i), both sides of variables cut into 20 bins; or, of the
                            continuous ones, mean_i [I_i(1) - I_i(2)] / I_i(1)
    SAP                     mean_i [r^2_i(1) - r^2_i(2)]
    linear DCI              from the importances |b_ji| of the regression of each factor on all codes, standardised
    MCC                     mean_i |r_i p(i)| of the best assignment p of codes to factors
    total correlation       -1/2 log det of the correlations of the code
    Hoyer sparsity          (sqrt L - E ||z||_1/||z||_2) / (sqrt L - 1), each z_j over its standard deviation

(1) and (2) are the two codes with the largest values for a factor. Averages are over the factors that vary, and a
constant code counts as one without information. Exact, up to one smooth integral for the sparsity.

**Population and samples.** These are population values: the scores as usual libraries define them for samples, of the
true correlations. Scores of samples approach them, with two exceptions:

- A factor independent of the code has a continuous gap of 0, but in a sample 1 - I(2)/I(1) is a ratio of two errors,
  which does not shrink with more data.
- Nor do the shares of DCI for a code independent of all factors, whose importances are errors.
"""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.scores.disentanglement": "DCI dci mean_correlation sap Scores scores total_correlation",
        "theory.scores.gaussian_code": "GaussianCode",
        "theory.scores.information": "mutual_information_gap mutual_information_matrix",
        "theory.scores.sparsity": "hoyer_chance_level hoyer_sparsity",
    },
)
