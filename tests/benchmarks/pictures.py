"""Pictures: what one costs from its bytes to its caption, and how fast hostile files are refused.

    python -m tests.benchmarks.pictures [--quick]

One thread, in processor time. A photograph of 12 megapixels is decoded, and encoded at 224 x 224;
the base is the same encoder with its channels first. Twelve words of a caption are written with
every point by an untrained network of the size of caption-soft. Then every file of the attack
corpus is read; the slowest refusals are named, beside what Pillow alone takes to give up on the
file or to read it. No baseline is run that takes longer than seconds.
"""

import argparse
import io
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from PIL import Image

from models import efficientnet, kernels, vision
from models.captioner import Captioner, CaptionerConfig
from models.decoder import END
from models.describer import Describer
from models.subwords import words
from tests.hostile_pictures import HOSTILE, ODD, stored

SLOW = ("JPEG of 3,000 scans", "JPEG of 4 million fill bytes", "PNG of 300,000 chunks")


def milliseconds(way: Callable[[], object], rounds: int) -> float:
    """The median of some runs."""
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        way()
        times.append(time.thread_time() - began)
    return 1000 * statistics.median(times)


def refused(raw: bytes) -> bool:
    try:
        vision.read(raw)
    except vision.PictureError:
        return True
    return False


def pillow(raw: bytes) -> None:
    """What a reader without bounds does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = Image.open(io.BytesIO(raw))
            getattr(file, "n_frames", 1)
            if file.size[0] * file.size[1] < 1 << 24:
                file.load()
    except Exception:
        pass


def made() -> Describer:
    """A network that never ends by itself."""
    vocabulary = words([" ".join(f"w{k}" for k in range(2536))], 1)
    network = Captioner(CaptionerConfig("soft", len(vocabulary), 128, 256, 160, 128))
    network.initialize(torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.output_bias[END] = -30.0
        for parameter in network.parameters():
            parameter.copy_(parameter.half())  # as a checkpoint stores them
    return Describer(network.eval().requires_grad_(False), vocabulary)


def caption(describer: Describer, cells: torch.Tensor, beam_size: int) -> None:
    describer.picture_points(cells, None)
    for _ in describer.caption(cells, beam_size, max_new_tokens=12):
        pass


@torch.no_grad()
def encoding(rounds: int) -> None:
    """From the bytes of a photograph to its grids."""
    photograph = Image.effect_noise((4000, 3000), 60).convert("RGB").resize((4000, 3000))
    raw = stored(photograph, "JPEG", quality=90)
    network, x = efficientnet.load(), vision.to_tensor(vision.read(raw).image)[None]
    describer, cells = made(), network.cells(x)
    plain = efficientnet.load().to(memory_format=torch.contiguous_format)

    def channels_first():
        y = torch.nn.functional.relu6(plain.stem(x))
        return torch.nn.functional.relu6(plain.head(plain.blocks(y)))

    base = milliseconds(channels_first, rounds)
    print(f"{'encoder, channels first':44} {base:7.1f} ms   1.00x")
    small = stored(photograph.resize((500, 375)), "JPEG")
    ways = {
        "encoder, both grids": lambda: network.both_cells(x),
        f"JPEG of 12 megapixels, {len(raw) / 1e6:.1f} MB, decoded": lambda: vision.read(raw),
        "JPEG of 500 x 375 pixels, decoded": lambda: vision.read(small),
        "twelve words, every point": lambda: caption(describer, cells, 1),
        "twelve words, every point, beam 5": lambda: caption(describer, cells, 5),
    }
    for name, way in ways.items():
        found = milliseconds(way, rounds)
        print(f"{name:44} {found:7.1f} ms   {found / base:5.2f}x")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where a hostile file was not refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a third of the rounds")
    rounds = 3 if parser.parse_args(arguments).quick else 9
    torch.set_num_threads(1)
    kernels.warm_up()
    encoding(rounds)
    times, read = {}, []
    for name, make in {**HOSTILE, **ODD}.items():
        raw = make()
        times[name] = milliseconds(lambda raw=raw: refused(raw), rounds)
        if name in HOSTILE and not refused(raw):
            read.append(name)
    slowest = sorted(HOSTILE, key=lambda name: -times[name])[:6]
    print(
        f"{len(HOSTILE)} hostile files, the slowest refusals; in all {sum(times.values()):.0f} ms"
    )
    for name in slowest:
        raw, beside = HOSTILE[name](), "seconds"
        if name not in SLOW:
            beside = f"{milliseconds(lambda raw=raw: pillow(raw), 1):.1f} ms"
        print(f"{name:44} {times[name]:7.1f} ms   Pillow alone: {beside}")
    worst = max(ODD, key=times.__getitem__)
    print(f"{len(ODD)} odd files that are read, the slowest: {worst} {times[worst]:.1f} ms")
    for name in read:
        print(f"not refused: {name}")
    return int(bool(read))


if __name__ == "__main__":
    raise SystemExit(main())
