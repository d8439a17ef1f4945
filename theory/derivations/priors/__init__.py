"""Pages about priors other than N(0, I)."""
