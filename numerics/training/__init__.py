"""Training of one model on its exact loss: the problem, the methods, and why a run stopped."""
