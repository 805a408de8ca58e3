"""Polish a captioner on what its captions are judged by: self-critical training.

Captions are drawn, scored with CIDEr-D, and made likelier or less likely:

    gradient = -(reward - mean reward of the other captions of the picture) d log q(caption)

where q is the sharpened distribution that they are drawn from.

Source: Rennie et al. 2017 (arXiv:1612.00563), with the other draws as the baseline (Luo 2020,
arXiv:2003.09971). Hard attention draws cells and words alike, and both get the reward. The composed
pictures go on being trained on as before, so that attention stays where things are.
"""

from collections.abc import Iterator
from itertools import repeat

import torch
from torch import Tensor

from models.captioner import Captioner
from models.decoder import BEGIN, END
from models.training.caption_recipes import CaptionRecipe
from models.training.captions import drawn, drop_features, log_p_of, loss
from models.training.cider import Cider
from models.training.pairs import IGNORED
from models.training.photographs import Flickr8k
from models.training.translation import inputs

LIMIT = 24  # tokens of a drawn caption
DRAWS = 5  # captions of one picture
# Captions are drawn from p ** (1 / TEMPERATURE): label smoothing leaves p so flat that most draws
# would be no sentences, and there is little to learn from the best of bad ones.
TEMPERATURE = 0.5
BESIDE = 0.1  # weight of the composed pictures; a whole one drowns the rewards


def rewards_of(data: Flickr8k) -> Cider:
    """CIDEr-D against the training captions, as token numbers with their end mark."""
    encode = data.vocabulary.encode_many
    return Cider({name: encode(data.captions[name]) for name in data.split["train"]})


@torch.no_grad()
def draw(network: Captioner, memory, state: Tensor) -> tuple[Tensor, Tensor | None]:
    """Draw a caption for each row: target (T, B), padded with IGNORED, and the cells (T, B) that
    hard attention looked at."""
    B = state.shape[1]
    look = drawn if network.config.attention == "hard" else None
    token, open_rows = torch.full((B,), BEGIN), torch.ones(B, dtype=torch.bool)
    written, cells = [], []
    for _ in range(LIMIT):
        y = network.embed(token)
        from_y, context_weight = network.token_part(y)
        step = network.advance(from_y, state, memory, context_weight, look=look)
        state = step.state
        logits = network.logits(state[0], step.context, y)
        logits[:, network.never_written] = -torch.inf
        token = (logits / TEMPERATURE).softmax(-1).multinomial(1)[:, 0]
        written.append(token.masked_fill(~open_rows, IGNORED))
        if look is not None:
            cells.append(step.attended.chosen)
        open_rows = open_rows & (token != END)
        if not open_rows.any():
            break
    return torch.stack(written), torch.stack(cells) if cells else None


def advantages(scores: Tensor) -> Tensor:
    """Rewards (P, N) of N captions a picture -> how much better each is than the others of it."""
    N = scores.shape[1]
    return scores - (scores.sum(1, keepdim=True) - scores) / (N - 1)


def critical_loss(network: Captioner, cells: Tensor, names: list[str], rewards: Cider) -> Tensor:
    """The loss whose gradient makes the better captions of these pictures likelier."""
    owners = torch.arange(len(names)).repeat_interleave(DRAWS)
    memory, first = network.read(cells)
    memory, first = memory.take(owners), first[:, owners]
    target, looked = draw(network, memory, first)
    scores = torch.tensor(
        [
            rewards.score(names[owner], [k for k in ids if k != IGNORED])
            for owner, ids in zip(owners.tolist(), target.t().tolist(), strict=True)
        ]
    )
    better = advantages(scores.view(-1, DRAWS)).flatten()  # (B,)
    order = (target != IGNORED).sum(0).argsort(descending=True)  # the longest first
    target, better = target[:, order], better[order]
    look = None
    if looked is not None:
        steps = iter(looked[:, order])
        look = lambda weights: next(steps)[: len(weights)]
    real = target != IGNORED
    followed = network.follow(memory.take(order), first[:, order], inputs(target), look, real)
    logits = followed.logits.clone()
    logits[:, network.never_written] = -torch.inf
    log_p = log_p_of(logits / TEMPERATURE, target[real])
    if looked is not None:
        log_w = followed.weights[real].clamp(min=1e-8).log()  # (N, S)
        log_p = log_p + log_w.gather(-1, followed.chosen[real][:, None])[:, 0]
    return -(log_p * better.expand(real.shape)[real]).mean()


def polishing(recipe: CaptionRecipe, data: Flickr8k, composed=None):
    """The losses of an epoch, one a step: `critical_loss` of some photographs, and that of teacher
    forcing on some composed pictures; for `captions.train`."""
    rewards = rewards_of(data)

    def losses(network: Captioner, epoch: int) -> Iterator[Tensor]:
        pictures = repeat(None)
        if composed is not None and recipe.composed:
            pictures = composed.epoch(epoch, recipe.seed, recipe.composed)
        for names, mirrored in data.names(epoch, recipe.seed, recipe.photographs):
            cells = drop_features(network, data.cells(names, mirrored), recipe.feature_dropout)
            value = critical_loss(network, cells, names, rewards)
            batch = next(pictures)
            yield value if batch is None else value + BESIDE * loss(network, batch, recipe)

    return losses
