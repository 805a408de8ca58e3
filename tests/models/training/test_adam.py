import torch
from torch.nn import functional as F

from models.training.adam import Adam


def test_its_steps_are_those_of_torch():
    """Two networks, equal at first, the same 30 batches: weights equal to 1e-6."""
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (torch.nn.LSTM(3, 4) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimizers = Adam(ours.parameters(), lr=0.03), torch.optim.Adam(theirs.parameters(), lr=0.03)
    for _ in range(30):
        x = torch.randn(5, 2, 3, generator=generator)
        y = torch.randn(5, 2, 4, generator=generator)
        for network, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            F.mse_loss(network(x)[0], y).backward()
            optimizer.step()
    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, theirs.state_dict()[name], rtol=0, atol=1e-6)
