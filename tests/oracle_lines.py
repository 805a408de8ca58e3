"""A reader of lines of text as it was published, in torch's own modules, to hold ours against.

The names of its parts are those of the deep-text-recognition benchmark (Baek et al. 2019), which
people's files have. Nothing here shares a line with `models`.
"""

import torch
from torch import Tensor, nn


class Both(nn.Module):
    """An LSTM or GRU in both directions and a linear layer."""

    def __init__(self, layer: type[nn.RNNBase], width: int, hidden: int, out: int):
        super().__init__()
        self.rnn = layer(width, hidden, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(2 * hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.rnn(x)[0])


class Features(nn.Module):
    """The convolutions, numbered as the benchmark numbers them."""

    def __init__(self, a: int, b: int, c: int, d: int):
        super().__init__()
        halve = nn.MaxPool2d(2, 2)
        flatten = nn.MaxPool2d((2, 1), (2, 1))
        self.ConvNet = nn.Sequential(
            nn.Conv2d(1, a, 3, 1, 1), nn.ReLU(True), halve,
            nn.Conv2d(a, b, 3, 1, 1), nn.ReLU(True), halve,
            nn.Conv2d(b, c, 3, 1, 1), nn.ReLU(True),
            nn.Conv2d(c, c, 3, 1, 1), nn.ReLU(True), flatten,
            nn.Conv2d(c, d, 3, 1, 1, bias=False), nn.BatchNorm2d(d), nn.ReLU(True),
            nn.Conv2d(d, d, 3, 1, 1, bias=False), nn.BatchNorm2d(d), nn.ReLU(True), flatten,
            nn.Conv2d(d, d, 2, 1, 0), nn.ReLU(True),
        )  # fmt: skip


class Lines(nn.Module):
    """Pictures (B, 1, H, W), -1 to 1 -> scores (B, T, classes)."""

    def __init__(self, channels, hidden: int, out: int, layers: int, classes: int, cell="lstm"):
        super().__init__()
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        widths = [channels[-1], *[out] * (layers - 1)]
        self.FeatureExtraction = Features(*channels)
        self.SequenceModeling = nn.Sequential(*(Both(layer, w, hidden, out) for w in widths))
        self.Prediction = nn.Linear(out, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.FeatureExtraction.ConvNet(pictures)  # (B, C, H', T)
        columns = nn.functional.adaptive_avg_pool2d(maps.permute(0, 3, 1, 2), (None, 1))
        return self.Prediction(self.SequenceModeling(columns.squeeze(3)))


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with weights and averages of a seed, as after training."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
        for name, value in network.named_buffers():
            if name.endswith("running_var"):
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
            elif name.endswith("running_mean"):
                value.copy_(torch.randn(value.shape, generator=generator))
            else:
                value.fill_(300_000)
    return network.eval()
