"""The same training in PyTorch, as a user would write it: net, heads, loss, variations and optimizers of trainer/.

    PYTHON_WITH_TORCH benchmarks/torch_training.py PHOTOS.npz BATCH STEPS

Reads `pixels` uint8 [n, height, width, 3] and `classes` int64 [heads], the number of classes of each head; labels are
drawn. The net is ResNet-18 of width 32 with a stem of stride 2, in the channels-last layout, which is the faster one on
processors. Prints the photos trained on in a second, over STEPS steps after five that are not counted.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

WIDTH, DIM, SCALE, SMOOTHING = 32, 512, 16.0, 0.1
RATE, DECAY, MOMENTUM, CLIP, ITERATIONS = 0.01, 0.05, 0.95, 5.0, 3
UNCOUNTED = 5


def conv_norm(into: int, out: int, size: int, stride: int, relu: bool) -> nn.Sequential:
    """Return a convolution and its norm."""
    parts = [nn.Conv2d(into, out, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*parts, *([nn.ReLU(inplace=True)] if relu else []))


class Block(nn.Module):
    """A basic block of He et al. 2016."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = conv_norm(into, out, 3, stride, True), conv_norm(out, out, 3, 1, False)
        straight = stride == 1 and into == out
        self.shortcut = nn.Identity() if straight else conv_norm(into, out, 1, stride, False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        return functional.relu(self.second(self.first(x)) + self.shortcut(x), inplace=True)


class Net(nn.Module):
    """Trunk and heads by cosine."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__()
        layers, into = [conv_norm(3, WIDTH, 3, 2, True)], WIDTH
        for stage in range(4):
            for block in range(2):
                layers.append(Block(into, WIDTH << stage, 2 if stage and not block else 1))
                into = WIDTH << stage
        self.body, self.projection = nn.Sequential(*layers), nn.Linear(into, DIM, bias=False)
        self.norm = nn.BatchNorm1d(DIM)
        self.heads = nn.ParameterList([nn.Parameter(0.05 * torch.randn(DIM, count)) for count in classes])

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits of each head."""
        embedding = functional.normalize(self.norm(self.projection(self.body(x).mean((2, 3)))), dim=1)
        return [SCALE * embedding @ functional.normalize(head, dim=0) for head in self.heads]


def varied(pixels: torch.Tensor) -> torch.Tensor:
    """Return photos [batch, 3, height, width] shifted, zoomed, mirrored and lit differently, about 0."""
    batch = len(pixels)
    draws = torch.rand(6, batch) * 2 - 1
    zoom = 1 + 0.1 * draws[0]
    places = torch.zeros(batch, 2, 3)
    places[:, 0, 0], places[:, 1, 1] = zoom * torch.where(draws[1] < 0, -1.0, 1.0), zoom
    places[:, 0, 2], places[:, 1, 2] = 0.16 * draws[2], 0.16 * draws[3]
    dark = 255 - pixels.permute(0, 3, 1, 2).float()
    dark = functional.grid_sample(
        dark, functional.affine_grid(places, list(dark.shape), align_corners=False), align_corners=False
    )
    contrast, brightness = (1 + 0.15 * draws[4])[:, None, None, None], (255 * 0.15 * draws[5])[:, None, None, None]
    return (((127.5 - dark) * contrast + 127.5 + brightness).clamp(0, 255) - 127.5) / 127.5


class Muon:
    """Jordan et al. 2024, with the scale of Liu et al. 2025 (arXiv 2502.16982), on kernels as matrices."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.parameters, self.momenta = parameters, [torch.zeros_like(one) for one in parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Move each kernel."""
        for one, momentum in zip(self.parameters, self.momenta, strict=True):
            momentum.mul_(MOMENTUM).add_(one.grad)
            matrix = (one.grad + MOMENTUM * momentum).reshape(len(one), -1)
            update = orthogonal(matrix) * (RATE * 0.2 * max(matrix.shape) ** 0.5)
            one.mul_(1 - RATE * DECAY).sub_(update.reshape(one.shape))


def orthogonal(x: torch.Tensor) -> torch.Tensor:
    """Return a matrix with its singular values near 1, by Newton-Schulz iterations."""
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        product = x @ x.T
        x = 3.4445 * x + (-4.7750 * product + 2.0315 * product @ product) @ x
    return x.T if tall else x


def photos_a_second(pixels: torch.Tensor, classes: list[int], batch: int, steps: int) -> float:
    """Train, and return how fast."""
    torch.manual_seed(0)
    net: Any = Net(classes).to(memory_format=torch.channels_last)
    labels = [torch.randint(0, count, (len(pixels),)) for count in classes]
    kernels = [one for name, one in net.named_parameters() if one.ndim > 1 and not name.startswith("heads")]
    known = {id(one) for one in kernels}
    others = [one for one in net.parameters() if id(one) not in known]
    muon, adam = Muon(kernels), torch.optim.AdamW(others, lr=RATE / 2, weight_decay=DECAY, fused=True)
    started = time.perf_counter()
    for number in range(UNCOUNTED + steps):
        if number == UNCOUNTED:
            started = time.perf_counter()
        rows = torch.randint(0, len(pixels), (batch,))
        logits = net(varied(pixels[rows]).contiguous(memory_format=torch.channels_last))
        loss = sum(
            functional.cross_entropy(one, truth[rows], label_smoothing=SMOOTHING)
            for one, truth in zip(logits, labels, strict=True)
        )
        net.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        muon.step()
        adam.step()
        loss.item()
    return batch * steps / (time.perf_counter() - started)


if __name__ == "__main__":
    with np.load(sys.argv[1]) as given:
        print(
            photos_a_second(
                torch.from_numpy(given["pixels"]), given["classes"].tolist(), int(sys.argv[2]), int(sys.argv[3])
            )
        )
