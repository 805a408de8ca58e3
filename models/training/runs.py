"""What training runs have in common: the rate, the running mean, a clean stop, saves."""

import json
import math
import signal
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from models.checkpoint import write_file
from models.resting import rounded, unpacked


def bfloat16_products(device: str) -> bool:
    """Whether a device makes products in bfloat16 well. A CPU without them (AVX2 alone) has no
    LSTM in it at all, and the products that torch makes up for it are slower than in float32."""
    return device != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def rate(step: int, steps: int, recipe) -> float:
    """Learning rate at a step: linear warm-up, then a cosine down to 1% of the peak."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, steps - recipe.warmup)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


@torch.no_grad()
def follow_mean(mean: nn.Module, network: nn.Module, keep: float, step: int) -> None:
    """Draw the running mean towards where the network is: a step keeps so much of it, at first
    less."""
    keep = min(keep, (1 + step) / (10 + step))
    for kept, now in zip(mean.parameters(), network.parameters(), strict=True):
        kept.lerp_(now, 1 - keep)


@contextmanager
def stop_on_interrupt():
    """Turn the first Ctrl-C into a flag that is read between steps."""
    asked = {"stop": False}

    def ask(signum, frame):
        asked["stop"] = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def save(
    run: Path,
    modules: dict[str, nn.Module],
    optimizer: Optimizer,
    progress: dict,
    rest: dict[str, Tensor] | None = None,
) -> None:
    """Write `latest.safetensors` (the modules, the optimizer's moments and what else has to be
    kept, by names of its own) and progress.json."""
    tensors = dict(rest or {})
    for name, module in modules.items():
        tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{key}": value for key, value in slots.items()}
    temporary = run / "latest.tmp"
    save_file({k: v.detach().contiguous().cpu() for k, v in tensors.items()}, temporary)
    temporary.replace(run / "latest.safetensors")
    write_file(run / "progress.json", json.dumps(progress))


def restore(
    run: Path, modules: dict[str, nn.Module], optimizer: Optimizer, device: str = "cpu"
) -> tuple[dict[str, Tensor], dict]:
    """Fill what `save` wrote; returns the rest and the progress."""
    rest = load_file(run / "latest.safetensors", device=str(device))
    for name, module in modules.items():
        own = [key for key in rest if key.startswith(f"{name}.")]
        module.load_state_dict({key[len(name) + 1 :]: rest.pop(key) for key in own})
    slots: dict[int, dict] = {}
    for key in [key for key in rest if key.startswith("adam.")]:
        _, index, name = key.split(".")
        slots.setdefault(int(index), {})[name] = rest.pop(key)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})
    return rest, json.loads((run / "progress.json").read_text())


def resume_best(run: Path) -> tuple[dict[str, Tensor], dict]:
    """The best weights and the progress of a run, without training on."""
    return load_file(run / "best.safetensors"), json.loads((run / "progress.json").read_text())


def stored(network: nn.Module, weights: dict[str, Tensor], pack: bool = False) -> nn.Module:
    """The network with weights as they will rest, float16 or packed, at work in float32."""
    network.load_state_dict(unpacked(rounded(weights, pack)))
    return network.eval().requires_grad_(False)
