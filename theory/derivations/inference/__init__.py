"""Pages about a fixed decoder: what the encoder infers."""
