"""Pages about axes: which directions the latents take."""
