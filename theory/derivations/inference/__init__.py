"""Pages about a known decoder: what the encoder infers."""
