"""Pages that the other chapters build on: Gaussian integrals, the Hadamard gap, the objective."""
