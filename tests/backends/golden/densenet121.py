"""densenet121: 7,978,856 parameters, 2,834,161,664 MACs at 3×224×224.

Densely Connected Convolutional Networks (Huang et al., 2016), arXiv:1608.06993:
DenseNet-BC as torchvision builds it.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """Section 3, H with bottleneck: its output is concatenated to its input."""

    def __init__(self, in_channels: int, growth: int, bottleneck: int = 4) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, bottleneck * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.conv2 = nn.Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(x), inplace=True)
        out = F.relu(self.norm2(self.conv1(out)), inplace=True)
        return torch.cat([x, self.conv2(out)], 1)


class Transition(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(x), inplace=True)
        return F.avg_pool2d(self.conv(x), 2, stride=2)


class Features(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(64)
        self.denseblock1 = nn.Sequential(
            OrderedDict(
                [(f"denselayer{i + 1}", DenseLayer(64 + 32 * i, 32)) for i in range(6)]
            )
        )
        self.transition1 = Transition(256)
        self.denseblock2 = nn.Sequential(
            OrderedDict(
                [
                    (f"denselayer{i + 1}", DenseLayer(128 + 32 * i, 32))
                    for i in range(12)
                ]
            )
        )
        self.transition2 = Transition(512)
        self.denseblock3 = nn.Sequential(
            OrderedDict(
                [
                    (f"denselayer{i + 1}", DenseLayer(256 + 32 * i, 32))
                    for i in range(24)
                ]
            )
        )
        self.transition3 = Transition(1024)
        self.denseblock4 = nn.Sequential(
            OrderedDict(
                [
                    (f"denselayer{i + 1}", DenseLayer(512 + 32 * i, 32))
                    for i in range(16)
                ]
            )
        )
        self.norm5 = nn.BatchNorm2d(1024)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm0(self.conv0(x)), inplace=True)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.denseblock1(x)
        x = self.transition1(x)
        x = self.denseblock2(x)
        x = self.transition2(x)
        x = self.denseblock3(x)
        x = self.transition3(x)
        x = self.denseblock4(x)
        return self.norm5(x)


class DenseNet(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = Features(3)
        self.classifier = nn.Linear(1024, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward_features(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return F.relu(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return x if pre_logits else self.classifier(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))
