"""Training for many betas and seeds: in threads, processes or on a cluster, with a file of finished runs."""
