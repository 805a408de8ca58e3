import torch

from models.resting import packed, unpacked


def rows():
    """Rows of several magnitudes, one of zeros, one too small for a scale, one with an outlier."""
    matrix = torch.randn(7, 33, generator=torch.Generator().manual_seed(0))
    matrix *= torch.tensor([1.0, 1e-2, 30.0, 0.0, 1e-7, 1.0, 4e4])[:, None]
    matrix[5, 3] = 50.0
    return matrix


def test_packed_rows_are_within_half_a_scale_of_what_they_were():
    found = packed({"weight": rows()})
    assert found["weight"].dtype == torch.int8
    assert found["weight.scale"].dtype == torch.float16
    scale = found["weight.scale"].float()[:, None]
    assert (scale[:3] <= 1.003 * rows()[:3].abs().amax(1, keepdim=True) / 127).all()
    error = (unpacked(found)["weight"] - rows()).abs()
    assert (error <= 0.5001 * scale).all()
    assert found["weight"].abs().max() <= 127
