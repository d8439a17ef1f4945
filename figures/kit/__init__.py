"""What the figures share: drawing, the table behind a figure, its files, its settings and its training."""
