"""Pages that the other chapters build on: the Gaussian divergence, the Hadamard gap, the objective."""
