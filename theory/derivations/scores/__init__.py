"""Pages about disentanglement scores."""
