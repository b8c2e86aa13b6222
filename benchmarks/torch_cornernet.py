"""CornerNet and its loss, restated in torch: a peer of `training_step.py` and `forms.py`.

Modules have the names of our layers, so that weights are copied by name. All tensors are in channels-last
memory. Corner pooling has two forms, of which a benchmark may choose the faster: `torch.cummax` between two
flips, and the authors' loop over rows with a loop for its gradient.
"""

from itertools import pairwise

from torch_side import torch

nn, functional = torch.nn, torch.nn.functional


def cummax_pool(x, axis, reverse):
    """The running maximum by `torch.cummax`, as in mmcv's corner pooling."""
    x = x.flip(axis) if reverse else x
    pooled = torch.cummax(x, axis).values
    return pooled.flip(axis) if reverse else pooled


class _RowLoop(torch.autograd.Function):
    """The running maximum row by row; the gradient moves on when a value is strictly greater."""

    @staticmethod
    def forward(ctx, x, axis, reverse):
        rows = range(x.size(axis))[:: -1 if reverse else 1]
        pooled = torch.empty_like(x)
        pooled.select(axis, rows[0]).copy_(x.select(axis, rows[0]))
        for before, here in pairwise(rows):
            out = pooled.select(axis, here)
            torch.maximum(x.select(axis, here), pooled.select(axis, before), out=out)
        ctx.save_for_backward(pooled)
        ctx.axis, ctx.rows = axis, rows
        return pooled

    @staticmethod
    def backward(ctx, upstream):
        (pooled,), axis, rows = ctx.saved_tensors, ctx.axis, ctx.rows
        gradient = torch.empty_like(pooled)
        gathered = upstream.select(axis, rows[-1])
        for here, before in pairwise(rows[::-1]):
            is_greater = pooled.select(axis, here) > pooled.select(axis, before)
            taken = torch.mul(gathered, is_greater, out=gradient.select(axis, here))
            gathered = upstream.select(axis, before) + (gathered - taken)
        gradient.select(axis, rows[0]).copy_(gathered)
        return gradient, None, None


POOLS = {"torch.cummax": cummax_pool, "row loop": _RowLoop.apply}


class ConvNorm(nn.Module):
    """Convolution, BatchNorm or a bias, and ReLU in place."""

    def __init__(self, inputs, filters, kernel_size=3, stride=1, *, relu=True, normalize=True):
        super().__init__()
        border = (kernel_size - 1) // 2
        self.conv = nn.Conv2d(inputs, filters, kernel_size, stride, border, bias=not normalize)
        self.norm = nn.BatchNorm2d(filters) if normalize else None
        self.relu = relu

    def forward(self, x):
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return functional.relu_(x) if self.relu else x


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride=1):
        super().__init__()
        self.first = ConvNorm(inputs, filters, 3, stride)
        self.second = ConvNorm(filters, filters, relu=False)
        plain = stride == 1 and inputs == filters
        self.shortcut = None if plain else ConvNorm(inputs, filters, 1, stride, relu=False)

    def forward(self, x):
        y = self.second(self.first(x))
        return functional.relu_(y + (x if self.shortcut is None else self.shortcut(x)))


class Hourglass(nn.Module):
    def __init__(self, channels, num_blocks):
        super().__init__()
        self.order = len(channels) - 1
        self.num_blocks = num_blocks
        for k, (width, deeper) in enumerate(pairwise(channels)):
            for i in range(num_blocks[k]):
                self.add_module(f"aside_{k}_{i}", Residual(width, width))
                down = Residual(deeper if i else width, deeper, 1 if i else 2)
                self.add_module(f"down_{k}_{i}", down)
                up = Residual(deeper, width if i == num_blocks[k] - 1 else deeper)
                self.add_module(f"up_{k}_{i}", up)
        for i in range(num_blocks[-1]):
            self.add_module(f"bottom_{i}", Residual(channels[-1], channels[-1]))

    def forward(self, x, level=0):
        def run(name, x):
            for i in range(self.num_blocks[level]):
                x = self.get_submodule(f"{name}_{i}")(x)
            return x

        if level == self.order:
            return run("bottom", x)
        deeper = self.forward(run(f"down_{level}", x), level + 1)
        aside = run(f"aside_{level}", x)
        return aside + functional.interpolate(run(f"up_{level}", deeper), scale_factor=2, mode="nearest")


class CornerPrediction(nn.Module):
    def __init__(self, reverse, filters, pool_filters, pool):
        super().__init__()
        self.vertical, self.horizontal = (ConvNorm(filters, pool_filters) for _ in range(2))
        self.pooled = ConvNorm(pool_filters, filters, relu=False)
        self.shortcut = ConvNorm(filters, filters, 1, relu=False)
        self.last = ConvNorm(filters, filters)
        self.reverse, self.pool = reverse, pool

    def forward(self, x):
        pooled = self.pool(self.vertical(x), 2, self.reverse) + self.pool(self.horizontal(x), 3, self.reverse)
        return self.last(functional.relu_(self.pooled(pooled) + self.shortcut(x)))


class Head(nn.Module):
    def __init__(self, inputs, hidden, kernel_size, channels):
        super().__init__()
        self.hidden = ConvNorm(inputs, hidden, kernel_size, normalize=False)
        self.last = nn.Conv2d(hidden, channels, 1)

    def forward(self, x):
        return self.last(self.hidden(x))


class CornerNet(nn.Module):
    """Images `(batch, height, width, 3)` RGB 0..255 to `{corner: {head: (batch, c, h, w)}}`.

    Args:
        arguments: those of our network. Only the heads of the last stack are computed.
        pool: one of `POOLS`.
    """

    def __init__(self, arguments, pool):
        super().__init__()
        stem, width = arguments["stem"], arguments["channels"][0]
        self.register_buffer("mean", 255 * torch.tensor(arguments["mean"]), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(arguments["std"]), persistent=False)
        self.stem = len(stem) - 1
        self.stem_conv = ConvNorm(3, stem[0], 7, 2)
        for i in range(self.stem):
            self.add_module(f"stem_residual_{i}", Residual(stem[i], stem[i + 1], 2))
        self.last = arguments["stacks"] - 1
        for s in range(self.last + 1):
            self.add_module(f"hourglass_{s}", Hourglass(arguments["channels"], arguments["num_blocks"]))
            self.add_module(f"features_{s}", ConvNorm(width, width))
        for s in range(self.last):
            self.add_module(f"carry_input_{s}", ConvNorm(width, width, 1, relu=False))
            self.add_module(f"carry_features_{s}", ConvNorm(width, width, 1, relu=False))
            self.add_module(f"fusion_{s}", Residual(width, width))
        self.embedding_cells = arguments["embedding_cells"]
        embedding = 1 if self.embedding_cells is None else 2
        self.sizes = {"heatmap": arguments["num_classes"], "embedding": embedding, "offset": 2}
        for corner, reverse in (("top_left", True), ("bottom_right", False)):
            prediction = CornerPrediction(reverse, width, arguments["pool_channels"], pool)
            self.add_module(f"{corner}_{self.last}", prediction)
            for head, channels in self.sizes.items():
                module = Head(width, arguments["head_channels"], arguments["head_kernel_size"], channels)
                self.add_module(f"{corner}_{head}_{self.last}", module)

    def forward(self, images):
        x = ((images - self.mean) / self.std).permute(0, 3, 1, 2)
        x = self.stem_conv(x)
        for i in range(self.stem):
            x = self.get_submodule(f"stem_residual_{i}")(x)
        for s in range(self.last + 1):
            features = self.get_submodule(f"features_{s}")(self.get_submodule(f"hourglass_{s}")(x))
            if s < self.last:
                carried = self.get_submodule(f"carry_input_{s}")(x)
                carried = carried + self.get_submodule(f"carry_features_{s}")(features)
                x = self.get_submodule(f"fusion_{s}")(functional.relu_(carried))
        outputs = {}
        for corner in ("top_left", "bottom_right"):
            y = self.get_submodule(f"{corner}_{self.last}")(features)
            outputs[corner] = {
                head: self.get_submodule(f"{corner}_{head}_{self.last}")(y) for head in self.sizes
            }
            if self.embedding_cells is not None:
                position = self._position(*y.shape[2:])
                outputs[corner]["embedding"] = outputs[corner]["embedding"] + position
        return outputs

    def _position(self, height, width):
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        return torch.stack([columns, rows])[None].float() / self.embedding_cells


def load_weights(module, weights):
    """Copies our network's weights, given by path, into the restated one, whose weights must be the same."""
    names = {"kernel": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}
    names |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    state = {}
    for path, value in weights.items():
        *modules, last = path.split("/")
        value = torch.from_numpy(value)
        state[".".join([*modules, names[last]])] = value.permute(3, 2, 0, 1) if value.ndim == 4 else value
    missing, unexpected = module.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    assert not missing and not unexpected, (missing, unexpected)


def detection_loss(targets, outputs, *, pull_weight=0.1, push_weight=0.1, offset_beta=1.0):
    """The loss of `DetectionLoss` on the targets of our codec, with maps `(batch, c, h, w)`."""
    mask = targets["mask"]
    total, tags = 0.0, []
    for corner, heads in outputs.items():
        wanted = targets[corner]
        total = total + focal_loss(heads["heatmap"], wanted["heatmap"], targets["heatmap_mask"])
        offset, positive = gather(heads["offset"], wanted["offset_index"]), wanted["offset_mask"]
        error = functional.smooth_l1_loss(offset, wanted["offset"], reduction="none", beta=offset_beta)
        total = total + (error * positive[..., None]).sum() / (positive.sum() + 1e-4)
        tags.append(gather(heads["embedding"], wanted["index"]))
    pull, push = pull_push_loss(*tags, mask)
    return total + pull_weight * pull + push_weight * push


def gather(maps, index):
    """The values `(batch, n, c)` at flat cell indices."""
    rows = maps.permute(0, 2, 3, 1).reshape(maps.size(0), -1, maps.size(1))
    return rows.gather(1, index[..., None].expand(-1, -1, maps.size(1)))


def focal_loss(logits, wanted, mask):
    p = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    positive = (wanted == 1).float()
    gain = positive * (1 - p) ** 2 * p.log()
    gain = gain + (1 - positive) * (1 - wanted) ** 4 * p**2 * (1 - p).log()
    return -(gain * mask).sum() / positive.sum().clamp(min=1)


def pull_push_loss(first, second, mask, margin=1.0):
    count = mask.sum(1, keepdim=True)
    mean = (first + second) / 2
    spread = ((first - mean) ** 2 + (second - mean) ** 2).sum(-1)
    pull = (mask * spread / (count + 1e-4)).sum()
    distance = (mean[:, :, None] - mean[:, None, :]).abs().sum(-1)
    count = count[..., None]
    push = functional.relu(margin - distance) - margin / (count + 1e-4)
    push = mask[:, :, None] * mask[:, None, :] * push / (count * (count - 1) + 1e-4)
    return pull, push.sum()
