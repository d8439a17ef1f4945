"""Train a small VAE in PyTorch on scikit-learn's digits and write its codes for `python -m numerics audit`.

The loss is `MSELoss` plus KL_WEIGHT times the KL of an average observation, as much code has it. Needs PyTorch and
scikit-learn; takes about a minute.
"""

import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

LATENTS, HIDDEN, KL_WEIGHT, STEPS, BATCH = 6, 256, 2.0, 6000, 256


class VAE(nn.Module):
    """One hidden layer each way; the code has a diagonal Gaussian posterior."""

    def __init__(self, dimensions: int):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(dimensions, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * LATENTS))
        self.decoder = nn.Sequential(nn.Linear(LATENTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, dimensions))

    def forward(self, x):
        mean, log_variance = self.encoder(x / 16).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        return self.decoder(z) * 16, mean, log_variance


def main(path: str) -> None:
    torch.manual_seed(0)
    x = torch.tensor(load_digits().data, dtype=torch.float32)
    vae = VAE(x.shape[1])
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        batch = x[torch.randint(len(x), (BATCH,))]
        reconstruction, mean, log_variance = vae(batch)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        loss = nn.functional.mse_loss(reconstruction, batch) + KL_WEIGHT * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        reconstruction, mean, log_variance = vae(x)
        squared_error = ((x - reconstruction) ** 2).sum(dim=1)
    np.savez_compressed(path, mean=mean, log_variance=log_variance, squared_error=squared_error)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "digits_vae.npz")
