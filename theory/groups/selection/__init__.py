"""Which latents belong in one group, decided from data by statistical tests."""
