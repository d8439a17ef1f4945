"""Diagnosis of a given model: its active latents, and whether it is a stationary point or a minimum."""
