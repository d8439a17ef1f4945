"""Pages about groups of latents: total correlation."""
