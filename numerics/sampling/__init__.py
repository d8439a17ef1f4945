"""Monte Carlo estimates, each with its standard error."""
