"""The symbols that the pages share, their meaning, and the works that the pages refer to."""

from __future__ import annotations

import sympy as sp

__all__ = ["NOTATION", "REFERENCES", "SIZES"]

K, D, n = sp.symbols("K D n", integer=True, positive=True)
beta = sp.Symbol("beta", positive=True)
sigma = sp.Symbol("sigma", positive=True)
tau = sp.Symbol("tau", positive=True)
t = sp.Symbol("t", positive=True)

W = sp.MatrixSymbol("W", D, K)
V = sp.MatrixSymbol("V", K, D)
Q = sp.MatrixSymbol("Q", K, K)
S = sp.MatrixSymbol("S", D, D)
C = sp.MatrixSymbol("C", K, K)
P = sp.MatrixSymbol("P", K, K)
A = sp.MatrixSymbol("A", D, K)

# Sizes of matrices at which steps of general size are tested: K, then the other integers of a step by name. Each is
# once the least and once the largest.
SIZES = ((2, 4, 3, 5), (4, 3, 1, 2), (1, 2, 4, 3), (3, 3, 2, 1))

NOTATION = (
    (r"x \in \mathbf{R}^D", "data, centred"),
    (r"S", "covariance of the data (`covariance`)"),
    (r"l_1 \ge \dots \ge l_D", "eigenvalues of $S$, descending (`eigenvalues`)"),
    (r"z \in \mathbf{R}^K", "latents, with prior $N(0, I)$ unless stated otherwise"),
    (r"W", "decoder, $p(x|z) = N(W z, \\sigma^2 I)$ (`decoder`)"),
    (r"\sigma^2", "noise variance of the decoder (`noise_variance`)"),
    (r"V, Q", "encoder, $q(z|x) = N(V x, Q)$ (`encoder`, `posterior_covariance`)"),
    (r"C = V S V^T + Q", "covariance of the aggregate code $q(z)$"),
    (r"\beta", "weight of the KL term (`beta`)"),
    (r"t = \beta \sigma^2", "water level (`water_level`)"),
    (r"P = I + W^T W / t", "precision of the best posterior"),
    (
        r"A, \Gamma, \tau^2",
        "the truth, $x = A s + n$, $s \\sim N(0, \\Gamma)$, $n \\sim N(0, \\tau^2 I)$ (`GenerativeModel`)",
    ),
    (r"G = A^T A", "Gram matrix of the true loading, with eigenvalues $g$"),
    (r"R = (G + t I)^{-1}", "resolvent of the Gram matrix"),
    (r"E, \Sigma", "error matrix of an encoder, covariance of the true posterior"),
    (r"J", "share of one factor in the forward divergence"),
    (r"B", "partition of rows and columns: one inside its blocks, so that $M \\circ B$ has the blocks of $M$"),
    (r"O, U", "orthogonal matrix; matrix with orthonormal columns"),
    (r"M", "a positive definite or symmetric matrix of which nothing else is known"),
    (r"T", "invertible change of basis of the code"),
    (r"\Pi", "covariance of a Gaussian prior"),
    (r"N", "number of data points"),
    (r"v, r, \theta", "a variance, a correlation, an angle"),
)

REFERENCES = {
    "tipping1999": (
        "M. E. Tipping, C. M. Bishop. Probabilistic principal component analysis. Journal of the Royal Statistical "
        "Society B 61, 1999."
    ),
    "marchenko1967": (
        "V. A. Marchenko, L. A. Pastur. Distribution of eigenvalues for some sets of random matrices. Mathematics of "
        "the USSR-Sbornik 1, 1967."
    ),
    "mirsky1975": ("L. Mirsky. A trace inequality of John von Neumann. Monatshefte fuer Mathematik 79, 303-306, 1975."),
    "shannon1959": (
        "C. E. Shannon. Coding theorems for a discrete source with a fidelity criterion. IRE National Convention "
        "Record 7, 1959."
    ),
    "sikka2019": (
        "H. Sikka, W. Zhong, J. Yin, C. Pehlevan. A closer look at disentangling in beta-VAE. Asilomar Conference "
        "2019, arXiv 1912.05127."
    ),
    "lucas2019": (
        "J. Lucas, G. Tucker, R. Grosse, M. Norouzi. Don't blame the ELBO! A linear VAE perspective on posterior "
        "collapse. NeurIPS 2019, arXiv 1911.02469."
    ),
    "mathieu2019": (
        "E. Mathieu, T. Rainforth, N. Siddharth, Y. W. Teh. Disentangling disentanglement in variational autoencoders. "
        "ICML 2019, arXiv 1812.02833."
    ),
    "rolinek2019": (
        "M. Rolinek, D. Zietlow, G. Martius. Variational autoencoders pursue PCA directions (by accident). CVPR 2019, "
        "arXiv 1812.06775."
    ),
    "wang2022": (
        "Z. Wang, L. Ziyin. Posterior collapse of a linear latent variable model. NeurIPS 2022, arXiv 2205.04009."
    ),
    "zietlow2021": (
        "D. Zietlow, M. Rolinek, G. Martius. Demystifying inductive biases for (beta-)VAE based architectures. ICML "
        "2021, arXiv 2102.06822."
    ),
    "tong1991": (
        "L. Tong, R. Liu, V. C. Soon, Y.-F. Huang. Indeterminacy and identifiability of blind identification. IEEE "
        "Transactions on Circuits and Systems 38, 1991."
    ),
    "chen2018": (
        "R. T. Q. Chen, X. Li, R. Grosse, D. Duvenaud. Isolating sources of disentanglement in variational "
        "autoencoders. NeurIPS 2018, arXiv 1802.04942."
    ),
    "chen2022": "Z. Chen, W. Wang, S. Zou. Break the spell of total correlation in betaTCVAE. 2022, arXiv 2210.08794.",
    "chen2025": (
        "Z. Chen, Y. Xiang, W. Wang. Disentangling granularity: an implicit inductive bias in factorized VAEs. 2025, "
        "arXiv 2505.24684."
    ),
}
