"""Diagnosis of a given model: its active latents, whether it is a minimum, and the audit of any VAE by its codes."""
