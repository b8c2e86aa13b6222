"""The Stacked Hourglass network restated in torch: a peer of `forms.py`.

Modules have the names of our layers, so that weights are copied by name (`torch_cornernet.load_weights`).
"""

from itertools import pairwise

from torch_side import torch

nn, functional = torch.nn, torch.nn.functional


class NormConv(nn.Module):
    """BatchNorm, ReLU in place and a convolution."""

    def __init__(self, inputs, filters, kernel_size=1):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, filters, kernel_size, padding=kernel_size // 2)

    def forward(self, x):
        return self.conv(functional.relu_(self.norm(x)))


class ConvNorm(nn.Module):
    """A convolution with bias, BatchNorm and ReLU in place."""

    def __init__(self, inputs, filters, kernel_size=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel_size, stride, kernel_size // 2)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        return functional.relu_(self.norm(self.conv(x)))


class Residual(nn.Module):
    """The pre-activation bottleneck."""

    def __init__(self, inputs, filters):
        super().__init__()
        self.first = NormConv(inputs, filters // 2)
        self.second = NormConv(filters // 2, filters // 2, 3)
        self.third = NormConv(filters // 2, filters)
        self.shortcut = None if inputs == filters else nn.Conv2d(inputs, filters, 1)

    def forward(self, x):
        y = self.third(self.second(self.first(x)))
        return y + (x if self.shortcut is None else self.shortcut(x))


class Hourglass(nn.Module):
    """An hourglass with one residual block on each branch and level."""

    def __init__(self, channels):
        super().__init__()
        self.order = len(channels) - 1
        for k, (width, deeper) in enumerate(pairwise(channels)):
            self.add_module(f"aside_{k}_0", Residual(width, width))
            self.add_module(f"down_{k}_0", Residual(width, deeper))
            self.add_module(f"up_{k}_0", Residual(deeper, width))
        self.bottom_0 = Residual(channels[-1], channels[-1])

    def forward(self, x, level=0):
        if level == self.order:
            return self.bottom_0(x)
        deeper = self.get_submodule(f"down_{level}_0")(functional.max_pool2d(x, 2))
        deeper = self.get_submodule(f"up_{level}_0")(self.forward(deeper, level + 1))
        aside = self.get_submodule(f"aside_{level}_0")(x)
        return aside + functional.interpolate(deeper, scale_factor=2, mode="nearest")


class StackedHourglass(nn.Module):
    """Images `(batch, height, width, 3)` RGB 0..255 to the last stack's heatmaps `(batch, joints, h, w)`.

    Args:
        arguments: those of our network, with `block="bottleneck"` and `num_blocks` of one.
    """

    def __init__(self, arguments):
        super().__init__()
        if arguments["block"] != "bottleneck" or set(arguments["num_blocks"]) != {1}:
            raise ValueError("the restatement in torch has one bottleneck per branch and level only")
        channels, joints, stem = arguments["channels"], arguments["num_joints"], arguments["stem"]
        width, self.stacks = channels[0], arguments["stacks"]
        self.register_buffer("mean", 255 * torch.tensor(arguments["mean"]), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(arguments["std"]), persistent=False)
        self.stem_conv = ConvNorm(3, stem[0], arguments["stem_kernel_size"], 2)
        for i, (inputs, filters) in enumerate(pairwise((*stem, width))):
            self.add_module(f"stem_residual_{i}", Residual(inputs, filters))
        for stack in range(self.stacks):
            self.add_module(f"hourglass_{stack}", Hourglass(channels))
            self.add_module(f"after_{stack}_0", Residual(width, width))
            self.add_module(f"features_{stack}", ConvNorm(width, width))
            self.add_module(f"keypoints_heatmap_{stack}", nn.Conv2d(width, joints, 1))
            if stack + 1 < self.stacks:
                self.add_module(f"carry_features_{stack}", nn.Conv2d(width, width, 1))
                self.add_module(f"carry_heatmap_{stack}", nn.Conv2d(joints, width, 1))

    def forward(self, images):
        x = self.stem_conv(((images - self.mean) / self.std).permute(0, 3, 1, 2))
        x = self.stem_residual_1(functional.max_pool2d(self.stem_residual_0(x), 2))
        for i in range(2, sum(name.startswith("stem_residual") for name, _ in self.named_children())):
            x = self.get_submodule(f"stem_residual_{i}")(x)
        for stack in range(self.stacks):
            part = lambda name, k=stack: self.get_submodule(f"{name}_{k}")  # noqa: E731
            y = part("features")(self.get_submodule(f"after_{stack}_0")(part("hourglass")(x)))
            heatmap = part("keypoints_heatmap")(y)
            if stack + 1 < self.stacks:
                x = x + part("carry_features")(y) + part("carry_heatmap")(heatmap)
        return heatmap
