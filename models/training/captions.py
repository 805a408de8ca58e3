"""Train a captioner on photographs with five captions each.

Teacher forcing with label smoothing, by the `loop` of epochs; the score on validation is BLEU-4.
The share of attention that all words together give to a cell is drawn towards T / S, the same for
every cell (the doubly stochastic term of Xu et al. 2015, with the target that lets rows stay
sharp); in composed pictures attention is drawn into the object that a word names.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from models.captioner import Captioner
from models.decoder import BEGIN, END, UNKNOWN
from models.training.caption_recipes import CaptionRecipe
from models.training.loop import train_epochs
from models.training.pairs import IGNORED
from models.training.photographs import CaptionBatch, Flickr8k, join
from models.training.translation import inputs


def likeliest(weights: Tensor) -> Tensor:
    """The cell that hard attention looks at when nothing is drawn: (B, S) -> (B,)."""
    return weights.argmax(-1)


def drawn(weights: Tensor) -> Tensor:
    """A cell drawn from the weights, (B, S) -> (B,), by torch's generator."""
    return weights.multinomial(1)[:, 0]


def log_p_of(logits: Tensor, target: Tensor) -> Tensor:
    """Logits (N, V) and words (N,) -> their log probabilities (N,), 0 where none is asked for."""
    found = logits.log_softmax(-1).gather(-1, target.clamp(min=0)[:, None])[:, 0]
    return found.masked_fill(target == IGNORED, 0.0)


def policy(
    log_p: Tensor,
    usual: Tensor,
    weights: Tensor,
    chosen: Tensor,
    real: Tensor,
    entropy: float,
) -> Tensor:
    """What REINFORCE (Williams 1992) puts in the place of the gradient that drawing a cell has not.

    `log_p` (T, B) of the words as the draws were, `usual` (T, B) the same with the mean of all
    cells, `weights` (T, B, S), `chosen` (T, B), `real` (T, B). A draw is rewarded with the log
    probability of the words from its own on, less the usual one: how hard a caption is takes no
    part. `entropy` times the entropy of the weights keeps the draws open.
    """
    better = ((log_p - usual) * real).flip(0).cumsum(0).flip(0)  # (T, B)
    log_w = weights.clamp(min=1e-8).log()
    taken = log_w.gather(-1, chosen[..., None])[..., 0]  # (T, B)
    openness = -(weights * log_w).sum(-1)
    value = better.detach() * taken + entropy * openness
    return -(value * real).sum() / real.sum()


def loss(network: Captioner, batch: CaptionBatch, recipe: CaptionRecipe) -> Tensor:
    """Mean cross-entropy in nats a word, and what the recipe adds, each times its weight:
    `coverage`, how unevenly the cells were used; `placement`, the surprise in nats that a marked
    word looked inside its object; for hard attention `reinforce`, the `policy` of the draws."""
    batch = batch.longest_first()
    memory, state = network.read(batch.cells)
    memory, state = memory.take(batch.photograph), state[:, batch.photograph]
    hard = network.config.attention == "hard"
    real = batch.target != IGNORED  # (T, B)
    look = drawn if hard else None
    followed = network.follow(memory, state, inputs(batch.target), look, real)
    # A word that is not in the vocabulary is read as unknown, and never asked for.
    target = batch.target.masked_fill(batch.target == UNKNOWN, IGNORED)[real]
    found = F.cross_entropy(
        followed.logits, target, ignore_index=IGNORED, label_smoothing=recipe.smoothing
    )
    weights = followed.weights
    if weights is None:
        return found
    if batch.cover is not None and recipe.placement:
        fullest = batch.cover.amax(-1, keepdim=True)  # (T, B, 1)
        marked = fullest[..., 0] > 0
        # A cell half as full as the fullest counts whole: attention may spread over the object.
        belongs = (2 * batch.cover / fullest.clamp(min=1e-6)).clamp(max=1)
        inside = (weights * belongs).sum(-1)[marked]
        found = found - recipe.placement * inside.clamp(min=1e-6).log().mean()
    if hard:
        with torch.no_grad():
            soft = network.follow(memory, state, inputs(batch.target), None, real)
        log_p, usual = torch.zeros(real.shape), torch.zeros(real.shape)
        log_p[real] = log_p_of(followed.logits.detach(), target)
        usual[real] = log_p_of(soft.logits, target)
        draws = policy(log_p, usual, weights, followed.chosen, real.float(), recipe.entropy)
        found = found + recipe.reinforce * draws
    used = weights.sum(0)  # (B, S); rows of padding are zero
    even = real.sum(0)[:, None] / used.shape[1]
    return found + recipe.coverage * (used - even).square().mean()


@torch.no_grad()
def write(network: Captioner, cells: Tensor, limit: int = 30) -> list[list[int]]:
    """The likeliest word at every step for cells (B, S, F): numbers without the end mark."""
    memory, state = network.read(cells)
    look = likeliest if network.config.attention == "hard" else None
    token = torch.full((len(cells),), BEGIN)
    written = torch.full((limit, len(cells)), END)
    open_rows = torch.ones(len(cells), dtype=torch.bool)
    for index in range(limit):
        y = network.embed(token)
        from_y, context_weight = network.token_part(y)
        step = network.advance(from_y, state, memory, context_weight, look=look)
        state = step.state
        logits = network.logits(state[0], step.context, y)
        logits[:, network.never_written] = -torch.inf
        token = logits.argmax(-1)
        written[index, open_rows] = token[open_rows]
        open_rows &= token != END
        if not open_rows.any():
            break
    return [[int(k) for k in row if k != END] for row in written.t()]


def score(network: Captioner, data: Flickr8k, part: str = "validation") -> float:
    """BLEU-4 of the likeliest words against the five captions of each photograph."""
    from sacrebleu.metrics import BLEU

    names, written = data.split[part], []
    for first in range(0, len(names), 50):
        written += write(network, data.cells(names[first : first + 50]))
    vocabulary = data.vocabulary
    texts = [vocabulary.join(ids) for ids in written]
    normal = vocabulary.tokenizer.normalizer.normalize_str
    references = [[normal(data.captions[name][k]) for name in names] for k in range(5)]
    return BLEU(tokenize="none", force=True).corpus_score(texts, references).score


def drop_features(network: Captioner, cells: Tensor, p: float) -> Tensor:
    """Cells (P, S, F) with some features of each picture, the same in all its cells, put to the
    mean that they have over the training pictures."""
    if not p:
        return cells
    kept = torch.rand(len(cells), 1, cells.shape[2]) >= p
    return torch.where(kept, cells, network.mean)


def supervised(recipe: CaptionRecipe, data: Flickr8k, composed=None):
    """The losses of an epoch, one a step, with teacher forcing; `composed` gives the composed
    pictures of an epoch."""

    def losses(network: Captioner, epoch: int) -> Iterator[Tensor]:
        batches = data.epoch(epoch, recipe.seed, recipe.photographs)
        if composed is not None and recipe.composed:
            batches = map(join, batches, composed.epoch(epoch, recipe.seed, recipe.composed))
        for batch in batches:
            seen = drop_features(network, batch.cells, recipe.feature_dropout)
            yield loss(network, replace(batch, cells=seen), recipe)

    return losses


def train(
    recipe: CaptionRecipe,
    data: Flickr8k,
    run: Path,
    losses: Callable[[Captioner, int], Iterator[Tensor]],
    start: dict[str, Tensor] | None = None,
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training on the `losses` of each epoch, from the weights `start` where there
    are some. Returns the best weights by validation, the progress so far and whether the recipe ran
    to its end."""
    torch.manual_seed(recipe.seed)
    network = Captioner(recipe.config(len(data.vocabulary)))
    network.initialize(torch.Generator().manual_seed(recipe.seed))
    network.mean.copy_(data.statistics[0])
    network.deviation.copy_(data.statistics[1])
    network.familiar.learn(data.pooled, torch.Generator().manual_seed(recipe.seed))
    if start is not None:  # one without attention leaves out what belongs to it
        own = network.state_dict()
        network.load_state_dict(own | {name: start[name] for name in own})
    steps = -(-len(data.split["train"]) // recipe.photographs)
    return train_epochs(
        network,
        recipe,
        run,
        lambda epoch: (losses(network, epoch), steps),
        lambda mean: score(mean, data),
    )
