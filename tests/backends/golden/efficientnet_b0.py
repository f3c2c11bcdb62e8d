"""efficientnet_b0: 5,288,548 parameters, 385,814,752 MACs at 3×224×224.

EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan and Le,
2019), arXiv:1905.11946, as torchvision builds it; EfficientNet-Lite (Liu, 2020),
github.com/tensorflow/tpu, as timm builds it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def divisible(value: int, by: int = 8) -> int:
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


class ConvNormAct(nn.Sequential):
    def __init__(
        self, in_channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                out,
                kernel,
                stride=stride,
                padding=kernel // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out),
            nn.SiLU(inplace=True),
        )


class SqueezeExcite(nn.Module):
    def __init__(self, in_channels: int, squeeze: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(in_channels, squeeze, 1)
        self.fc2 = nn.Conv2d(squeeze, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = F.adaptive_avg_pool2d(x, 1)
        out = F.silu(self.fc1(out), inplace=True)
        return x * torch.sigmoid(self.fc2(out))


class MBConv(nn.Module):
    """Section 4: the inverted bottleneck of MobileNetV2 with squeeze-and-excitation."""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel: int,
        stride: int,
        expand: int,
        drop: float,
    ) -> None:
        super().__init__()
        hidden = divisible(in_channels * expand)
        self.residual = stride == 1 and in_channels == out
        layers: list[nn.Module] = []
        if hidden != in_channels:
            layers.append(ConvNormAct(in_channels, hidden, kernel=1))
        layers += [
            ConvNormAct(hidden, hidden, kernel=kernel, stride=stride, groups=hidden),
            SqueezeExcite(hidden, max(1, in_channels // 4)),
            nn.Sequential(nn.Conv2d(hidden, out, 1, bias=False), nn.BatchNorm2d(out)),
        ]
        self.block = nn.Sequential(*layers)
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        out = self.block(x)
        if self.residual:
            return x + self.drop_path(out)
        return out


class EfficientNet(nn.Module):
    def __init__(
        self,
        dropout_rate: float = 0.2,
        drop_path_rate: float = 0.2,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvNormAct(3, 32, kernel=3, stride=2),
            nn.Sequential(MBConv(32, 16, kernel=3, stride=1, expand=1, drop=0.0)),
            nn.Sequential(
                MBConv(16, 24, kernel=3, stride=2, expand=6, drop=drop_path_rate / 16),
                MBConv(
                    24, 24, kernel=3, stride=1, expand=6, drop=drop_path_rate * 2 / 16
                ),
            ),
            nn.Sequential(
                MBConv(
                    24, 40, kernel=5, stride=2, expand=6, drop=drop_path_rate * 3 / 16
                ),
                MBConv(
                    40, 40, kernel=5, stride=1, expand=6, drop=drop_path_rate * 4 / 16
                ),
            ),
            nn.Sequential(
                MBConv(
                    40, 80, kernel=3, stride=2, expand=6, drop=drop_path_rate * 5 / 16
                ),
                MBConv(
                    80, 80, kernel=3, stride=1, expand=6, drop=drop_path_rate * 6 / 16
                ),
                MBConv(
                    80, 80, kernel=3, stride=1, expand=6, drop=drop_path_rate * 7 / 16
                ),
            ),
            nn.Sequential(
                MBConv(
                    80, 112, kernel=5, stride=1, expand=6, drop=drop_path_rate * 8 / 16
                ),
                MBConv(
                    112, 112, kernel=5, stride=1, expand=6, drop=drop_path_rate * 9 / 16
                ),
                MBConv(
                    112,
                    112,
                    kernel=5,
                    stride=1,
                    expand=6,
                    drop=drop_path_rate * 10 / 16,
                ),
            ),
            nn.Sequential(
                MBConv(
                    112,
                    192,
                    kernel=5,
                    stride=2,
                    expand=6,
                    drop=drop_path_rate * 11 / 16,
                ),
                *[
                    MBConv(
                        192,
                        192,
                        kernel=5,
                        stride=1,
                        expand=6,
                        drop=drop_path_rate * i / 16,
                    )
                    for i in range(12, 15)
                ],
            ),
            nn.Sequential(
                MBConv(
                    192,
                    320,
                    kernel=3,
                    stride=1,
                    expand=6,
                    drop=drop_path_rate * 15 / 16,
                )
            ),
            ConvNormAct(320, 1280, kernel=1),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout_rate),
            nn.Linear(1280, classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                bound = module.weight[:, 0].numel() ** -0.5
                nn.init.uniform_(module.weight, -bound, bound)
                nn.init.zeros_(module.bias)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.features(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.classifier[:1](x) if pre_logits else self.classifier(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))
