"""Pages about a learned decoder: what the beta-VAE learns."""
