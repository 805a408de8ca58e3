"""Train a character model: chunks of text, the state carried from one to the next.

Truncated back-propagation through time (Williams and Peng 1990): the state flows across chunk
borders, the gradient stops at them. The best weights by validation are kept; a run can be
stopped at any step and goes on from its last save.
"""

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from models.char_rnn import CharRNN
from models.training.corpus import Corpus, streams
from models.training.recipes import Recipe
from models.training.runs import bfloat16_products, rate, restore, save, stop_on_interrupt

SAVE_SECONDS = 60
EVALUATION_STREAMS = 32


@torch.no_grad()
def evaluate(network: CharRNN, tokens: Tensor, warm: Tensor | None = None) -> float:
    """Mean cross-entropy in nats per character over every character of a text (N,) but the first.

    The text is read once from left to right from the zero state, in float32. It is cut into 32
    streams read side by side, each one warmed up on the 256 characters before its cut, so that
    the figure is that of one long reading to within noise; `warm` is the text before `tokens`.
    """
    network.eval()
    device = next(network.parameters()).device
    lead = 256
    before = warm[-lead:] if warm is not None else tokens[:0]
    text = torch.cat([before, tokens])
    first = max(len(before), 1)  # the first character that is predicted and counted
    cuts = torch.linspace(first, len(text), EVALUATION_STREAMS + 1).long().tolist()
    longest = max(b - a for a, b in zip(cuts, cuts[1:], strict=False)) + lead
    batch = torch.zeros(longest, EVALUATION_STREAMS, dtype=torch.long)
    counted = torch.zeros(longest, EVALUATION_STREAMS, dtype=torch.bool)
    for k, (a, b) in enumerate(zip(cuts, cuts[1:], strict=False)):
        start = max(a - lead, 0)
        batch[: b - start, k] = text[start:b]
        counted[a - start : b - start, k] = True
    batch, counted = batch.to(device), counted.to(device)
    total, state = 0.0, None
    for t in range(0, longest - 1, 512):
        target, weight = batch[t + 1 : t + 513], counted[t + 1 : t + 513]
        logits, state = network(batch[t : t + len(target)], state)  # (T, B, V)
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
        total += loss.double()[weight.flatten()].sum().item()
    return total / int(counted.sum())


def _states(state) -> tuple[Tensor, ...]:
    return () if state is None else state if isinstance(state, tuple) else (state,)


def _save(run: Path, network, optimizer, state, progress: dict) -> None:
    carried = {f"state.{k}": value for k, value in enumerate(_states(state))}
    save(run, {"model": network}, optimizer, progress, carried)


def train(
    recipe: Recipe, corpus: Corpus, run: Path, device: str = "cpu", mixed: bool = True
) -> tuple[dict[str, Tensor], dict, bool]:
    """Train or go on training. Returns the best weights by validation, the progress so far and
    whether the recipe ran to its end.

    `mixed` computes the recurrent products in bfloat16 while training; validation is float32.
    """
    run.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(recipe.seed)
    torch.manual_seed(recipe.seed)  # dropout draws from the global generator
    network = CharRNN(recipe.config(len(corpus.symbols)))
    network = network.initialize(generator, recipe.input_gain).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.99), weight_decay=0.0)
    training, validation = corpus.split("train"), corpus.split("validation")
    B, T = recipe.batch_size, recipe.chunk
    chunks = (len(training) - T) // B // T  # a chunk an optimizer step; the same every epoch
    steps = chunks * recipe.epochs
    progress = {"step": 0, "best": float("inf"), "seconds": 0.0, "history": []}
    state = None
    if (run / "latest.safetensors").exists():
        rest, progress = restore(run, {"model": network}, optimizer, device)
        carried = tuple(rest[key] for key in sorted(rest))
        state = None if not carried else carried if len(carried) > 1 else carried[0]
    started, saved = time.monotonic() - progress["seconds"], time.monotonic()
    bar = tqdm(total=steps, initial=progress["step"], unit="step", dynamic_ncols=True)
    average = None
    epoch_read, batch = -1, None
    with stop_on_interrupt() as asked:
        while progress["step"] < steps and not asked["stop"]:
            step = progress["step"]
            epoch, at = divmod(step, chunks)
            if epoch != epoch_read:
                offset = (epoch * 37) % T  # borders move, the text does not
                batch, epoch_read = streams(training, B, offset).to(device), epoch
            network.train()
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps, recipe)
            inputs, targets = batch[at * T : at * T + T], batch[at * T + 1 : at * T + T + 1]
            keep = (torch.rand(B, generator=generator) >= recipe.reset).to(device)[None, :, None]
            state = tuple(s.detach() * keep for s in _states(state)) or None
            if state is not None and len(state) == 1:
                state = state[0]
            with torch.autocast(device, torch.bfloat16, mixed and bfloat16_products(device)):
                logits, state = network(inputs[: len(targets)], state)
            loss = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            average = loss.item() if average is None else 0.99 * average + 0.01 * loss.item()
            progress["step"] += 1
            bar.update()
            if at == chunks - 1:
                figure = evaluate(network, validation, training)
                progress["history"].append(
                    {"epoch": epoch + 1, "train": average, "validation": figure}
                )
                if figure < progress["best"]:
                    progress["best"] = figure
                    save_file(network.state_dict(), run / "best.safetensors")
                bar.set_postfix(validation=f"{figure:.4f}")
                bar.write(f"epoch {epoch + 1}: train {average:.4f}, validation {figure:.4f} nats")
            progress["seconds"] = time.monotonic() - started
            if time.monotonic() - saved > SAVE_SECONDS:
                _save(run, network, optimizer, state, progress)
                saved = time.monotonic()
            if step % 20 == 0:
                bar.set_postfix(loss=f"{average:.3f}", best=f"{progress['best']:.4f}")
    if device != "cpu":
        progress["device"] = f"one {torch.cuda.get_device_name()}"  # told on the card
    _save(run, network, optimizer, state, progress)
    bar.close()
    best = run / "best.safetensors"
    weights = load_file(best) if best.exists() else network.state_dict()
    return weights, progress, progress["step"] >= steps
