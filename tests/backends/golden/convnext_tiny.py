"""convnext_tiny: 28,589,128 parameters, 4,455,531,264 MACs at 3×224×224.

A ConvNet for the 2020s (Liu et al., 2022), arXiv:2201.03545, as torchvision builds it;
XL and the isotropic ones, which torchvision has not, as the authors' code does.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization over the channels of each position of a (N, C, H, W) tensor."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        shape = self.normalized_shape
        x = F.layer_norm(x, shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class DropPath(nn.Module):
    """Stochastic depth: in training, zeroes each sample with probability p and scales the
    others by 1 / (1 - p).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        samples = (x.shape[0],) + (1,) * (x.ndim - 1)  # fx can trace a sum, not a list
        return x * x.new_empty(samples).bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Permute(nn.Module):
    """`torch.permute` as a module, for use in sequences."""

    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)


class Block(nn.Module):
    """Figure 4: a depthwise 7×7 convolution, then an inverted bottleneck on each
    position's channels.
    """

    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 7, padding=3, groups=in_channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(in_channels, eps=1e-6),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.ones(in_channels, 1, 1) * 1e-6)
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        return self.drop_path(self.layer_scale * out) + x


class ConvNeXt(nn.Module):
    def __init__(self, drop_path_rate: float = 0.1, classes: int = 1000) -> None:
        super().__init__()
        rates = [drop_path_rate * i / 17 for i in range(18)]
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 96, 4, stride=4), LayerNorm2d(96, eps=1e-6)),
            nn.Sequential(*[Block(96, rates[i]) for i in range(3)]),
            nn.Sequential(LayerNorm2d(96, eps=1e-6), nn.Conv2d(96, 192, 2, stride=2)),
            nn.Sequential(*[Block(192, rates[i]) for i in range(3, 6)]),
            nn.Sequential(LayerNorm2d(192, eps=1e-6), nn.Conv2d(192, 384, 2, stride=2)),
            nn.Sequential(*[Block(384, rates[i]) for i in range(6, 15)]),
            nn.Sequential(LayerNorm2d(384, eps=1e-6), nn.Conv2d(384, 768, 2, stride=2)),
            nn.Sequential(*[Block(768, rates[i]) for i in range(15, 18)]),
        )
        self.classifier = nn.Sequential(
            LayerNorm2d(768, eps=1e-6),
            nn.Flatten(1),
            nn.Linear(768, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.features(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = F.adaptive_avg_pool2d(x, 1)
        return self.classifier[:2](x) if pre_logits else self.classifier(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))
