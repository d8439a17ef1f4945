"""Training with priors for which the rate has no closed form."""
