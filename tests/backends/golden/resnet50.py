"""resnet50: 25,557,032 parameters, 4,089,184,256 MACs at 3×224×224.

Deep Residual Learning for Image Recognition (He et al., 2015), arXiv:1512.03385;
ResNeXt (Xie et al., 2016), arXiv:1611.05431; Wide Residual Networks (Zagoruyko and
Komodakis, 2016), arXiv:1605.07146. As torchvision builds them, and timm, which has some
more: the stride is on the 3×3 convolution (v1.5).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """Figure 5, right: 1×1 reduces, 3×3 (grouped in ResNeXt) works, 1×1 expands four
    times.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int = 1,
        groups: int = 1,
        base: int = 64,
    ) -> None:
        super().__init__()
        mid = width * base // 64 * groups
        self.conv1 = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(mid)
        self.conv2 = nn.Conv2d(
            mid, mid, 3, stride=stride, padding=1, groups=groups, bias=False
        )
        self.bn2 = nn.BatchNorm2d(mid)
        self.conv3 = nn.Conv2d(mid, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * width),
            )
        else:
            self.downsample = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        return F.relu(out + self.downsample(x), inplace=True)


class ResNet(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(
            Bottleneck(64, 64),
            *[Bottleneck(256, 64) for _ in range(2)],
        )
        self.layer2 = nn.Sequential(
            Bottleneck(256, 128, stride=2),
            *[Bottleneck(512, 128) for _ in range(3)],
        )
        self.layer3 = nn.Sequential(
            Bottleneck(512, 256, stride=2),
            *[Bottleneck(1024, 256) for _ in range(5)],
        )
        self.layer4 = nn.Sequential(
            Bottleneck(1024, 512, stride=2),
            *[Bottleneck(2048, 512) for _ in range(2)],
        )
        self.fc = nn.Linear(2048, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward_features(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        return self.layer4(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return x if pre_logits else self.fc(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))
