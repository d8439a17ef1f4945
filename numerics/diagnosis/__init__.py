"""What a given model is: active latents, and whether it is a stationary point or a minimum."""
