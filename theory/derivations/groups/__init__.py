"""Pages about groups of latents: total correlation and the grouped objective."""
