"""Modules that torch lacks. Never imported by archdsl: generated source gets copies of the classes it uses.

Each class stands alone and needs only the three imports below.
"""

import torch  # noqa: TID253
import torch.nn.functional as F  # noqa: N812, TID253
from torch import nn  # noqa: TID253


class Conv2dSame(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: ceil(size / stride) outputs; an odd pixel
    of padding goes last.
    """

    def total_padding(self, size: int, axis: int) -> int:
        """Arithmetic alone: no branch on the size, so that a trace holds at every size."""
        stride = self.stride[axis]
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1)
        missing = (size - 1) // stride * stride + reach + 1 - size
        if reach >= stride - 1:
            return missing
        return missing * (missing // stride + 1)  # 0 where it is negative

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        reach = [
            d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)
        ]
        padding = (reach[0] // 2, reach[1] // 2)
        if self.stride != (1, 1) or reach[0] % 2 or reach[1] % 2:
            rows, columns = (
                self.total_padding(x.shape[2], 0),
                self.total_padding(x.shape[3], 1),
            )
            x = F.pad(
                x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
            )
            padding = (0, 0)
        return F.conv2d(
            x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class MaxPool2dSame(nn.Module):
    """Max pooling with TensorFlow's SAME padding, which is never the greatest value."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        stride = kernel_size if stride is None else stride
        self.kernel_size = (
            (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.dilation = (dilation, dilation) if isinstance(dilation, int) else dilation

    def total_padding(self, size: int, axis: int) -> int:
        """Arithmetic alone: no branch on the size, so that a trace holds at every size."""
        stride = self.stride[axis]
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1)
        missing = (size - 1) // stride * stride + reach + 1 - size
        if reach >= stride - 1:
            return missing
        return missing * (missing // stride + 1)  # 0 where it is negative

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = (
            self.total_padding(x.shape[2], 0),
            self.total_padding(x.shape[3], 1),
        )
        padding = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        x = F.pad(x, padding, value=float("-inf"))
        return F.max_pool2d(x, self.kernel_size, self.stride, 0, self.dilation)

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"{sizes}, dilation={self.dilation}"


class AvgPool2dSame(nn.Module):
    """Average pooling with TensorFlow's SAME padding. The padding is not counted: each mean
    is over the image alone. With `count_include_pad` its zeros are counted.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        count_include_pad: bool = False,
    ) -> None:
        super().__init__()
        stride = kernel_size if stride is None else stride
        self.kernel_size = (
            (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = (stride, stride) if isinstance(stride, int) else stride
        self.count_include_pad = count_include_pad

    def total_padding(self, size: int, axis: int) -> int:
        """Arithmetic alone: no branch on the size, so that a trace holds at every size."""
        stride = self.stride[axis]
        reach = self.kernel_size[axis] - 1
        missing = (size - 1) // stride * stride + reach + 1 - size
        if reach >= stride - 1:
            return missing
        return missing * (missing // stride + 1)  # 0 where it is negative

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size, self.stride
        if stride == (1, 1) and kernel[0] % 2 == kernel[1] % 2 == 1:
            padding = (kernel[0] // 2, kernel[1] // 2)
            return F.avg_pool2d(
                x, kernel, stride, padding, False, self.count_include_pad
            )
        rows, columns = (
            self.total_padding(x.shape[2], 0),
            self.total_padding(x.shape[3], 1),
        )
        sides = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        padded = F.pad(x, sides)
        if self.count_include_pad:
            return F.avg_pool2d(padded, kernel, stride)
        inside = F.pad(torch.ones_like(x[:1, :1]), sides)
        sums = F.avg_pool2d(padded, kernel, stride, divisor_override=1)
        return sums / F.avg_pool2d(inside, kernel, stride, divisor_override=1)

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"{sizes}, count_include_pad={self.count_include_pad}"


class BlurPool2d(nn.Module):
    """Anti-aliased subsampling: every channel is smoothed by a binomial filter (Zhang, 2019).
    Without `padding` an even filter has its greater half last.
    """

    def __init__(
        self,
        kernel_size: int,
        stride: int = 2,
        padding: int | None = None,
        padding_mode: str = "reflect",
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride
        self.padding, self.padding_mode = padding, padding_mode
        row = [1.0]
        while len(row) < kernel_size:
            row = [(a + b) / 2 for a, b in zip([0.0, *row], [*row, 0.0], strict=True)]
        self.filter = [[a * b for b in row] for a in row]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before, after = (self.kernel_size - 1) // 2, self.kernel_size // 2
        if self.padding is not None:
            before = after = self.padding
        x = F.pad(x, (before, after, before, after), mode=self.padding_mode)
        size, channels = self.kernel_size, x.shape[1]
        weight = x.new_tensor(self.filter).expand(channels, 1, size, size)
        return F.conv2d(x, weight, stride=self.stride, groups=channels)

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        return f"{sizes}, padding={self.padding}, padding_mode={self.padding_mode!r}"


class ChannelConv(nn.Conv1d):
    """Convolution over the channels of a vector, (N, C, 1, 1) or (N, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.flatten(1).unsqueeze(1)).view_as(x)


class PositionSoftmax(nn.Module):
    """Softmax over the positions of each channel."""

    def __init__(self, channels_last: bool = False) -> None:
        super().__init__()
        self.first = 1 if channels_last else 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(self.first, self.first + 1)
        return F.softmax(flat, self.first).view_as(x)


class StdConv2d(nn.Conv2d):
    """Convolution whose filters are standardized to mean 0 and variance 1 before use (Qiao
    et al., 2019).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
        )
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        filters = self.weight.flatten(1).unsqueeze(0)
        weight = F.batch_norm(
            filters, None, None, training=True, momentum=0.0, eps=self.eps
        ).view_as(self.weight)
        return F.conv2d(
            x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization over the channels of each position of a (N, C, H, W) tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 2, 3, 1)
        shape = self.normalized_shape
        x = F.layer_norm(x, shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Linear2d(nn.Linear):
    """Linear layer over the channels of each position of an (N, C, H, W) tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(
            0, 3, 1, 2
        )


class GlobalResponseNorm(nn.Module):
    """Global response normalization (ConvNeXt V2): weighs each channel by its norm relative
    to the mean norm.
    """

    def __init__(
        self, channels: int, eps: float = 1e-6, channels_last: bool = False
    ) -> None:
        super().__init__()
        self.eps = eps
        self.spatial_dims, self.channel_dim = (
            ((1, 2), 3) if channels_last else ((2, 3), 1)
        )
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        norm = torch.linalg.vector_norm(x, dim=self.spatial_dims, keepdim=True)
        norm = norm / (norm.mean(self.channel_dim, keepdim=True) + self.eps)
        shape = (-1,) if self.channel_dim == 3 else (-1, 1, 1)
        return x + torch.addcmul(
            self.bias.view(shape), self.weight.view(shape), x * norm
        )


class DropPath(nn.Module):
    """Stochastic depth: in training, zeroes each sample with probability p and scales the
    others by 1 / (1 - p).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        samples = (x.shape[0],) + (1,) * (x.ndim - 1)  # fx can trace a sum, not a list
        return x * x.new_empty(samples).bernoulli_(keep).div_(keep)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class ChannelAffine(nn.Module):
    """Constant `x * scale + shift` per channel, without state."""

    def __init__(self, scale: list[float], shift: list[float]) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rules = enumerate(zip(self.scale, self.shift, strict=True))
        return torch.cat(
            [x[:, i : i + 1] * scale + shift for i, (scale, shift) in rules], 1
        )


class Permute(nn.Module):
    """`torch.permute` as a module, for use in sequences."""

    def __init__(self, *dims: int) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.dims)


class Scale(nn.Module):
    """Multiplication by a constant as a module, for use in sequences."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.mul(x, self.value)

    def extra_repr(self) -> str:
        return f"{self.value}"


class Slice(nn.Module):
    """Channels `start` up to and without `stop` as a module, for use in sequences."""

    def __init__(self, start: int, stop: int, dim: int = 1) -> None:
        super().__init__()
        self.start, self.stop, self.dim = start, stop, dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.narrow(self.dim, self.start, self.stop - self.start)

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}, dim={self.dim}"


class Crop(nn.Module):
    """Takes columns and rows away at the border, as a module, for use in sequences."""

    def __init__(self, left: int, right: int, top: int, bottom: int) -> None:
        super().__init__()
        self.left, self.right, self.top, self.bottom = left, right, top, bottom

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = x.shape[2] - self.bottom, x.shape[3] - self.right
        return x[:, :, self.top : rows, self.left : columns]

    def extra_repr(self) -> str:
        return f"{self.left}, {self.right}, {self.top}, {self.bottom}"


class Subsample(nn.Module):
    """Every `stride`-th row and column as a module, for use in sequences."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :: self.stride, :: self.stride]

    def extra_repr(self) -> str:
        return f"{self.stride}"
