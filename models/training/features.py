"""The encoder's grids of all photographs, made once: `python -m models.training.features`.

Each photograph and its mirror image as 49 cells of 1,280 float16 numbers, in one file that is
mapped into memory (2 GB for Flickr8k): the encoder is frozen, so no epoch needs to run it again.
Goes on where an earlier run stopped.
"""

import argparse
import tarfile
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from models import efficientnet, vision
from models.checkpoint import write_file
from models.efficientnet import FEATURES, GRID
from models.training.__main__ import ROOT, data_folder

BATCH = 16
ARCHIVE = "photos/flickr8k-224.tar"


def photographs(folder: Path) -> list[str]:
    """Names of the photographs, in the order of their rows."""
    with tarfile.open(folder / ARCHIVE) as archive:
        return sorted(Path(m.name).name for m in archive if m.name.endswith(".jpg"))


def open_grids(file: Path, count: int, mode: str = "r") -> np.memmap:
    """Grids (photograph, 2, 49, 1280) as float16; 1 is the mirror image."""
    return np.memmap(file, np.float16, mode, shape=(count, 2, GRID * GRID, FEATURES))


@torch.no_grad()
def extract(folder: Path, out: Path) -> None:
    """Write `out`/grids.f16, names.txt and done.txt (rows that are complete)."""
    names = photographs(folder)
    out.mkdir(parents=True, exist_ok=True)
    file, done = out / "grids.f16", out / "done.txt"
    first = int(done.read_text()) if done.exists() and file.exists() else 0
    grids = open_grids(file, len(names), "r+" if file.exists() else "w+")
    write_file(out / "names.txt", "\n".join(names) + "\n")
    encoder = efficientnet.load()
    with tarfile.open(folder / ARCHIVE) as archive:
        members = {Path(m.name).name: m for m in archive if m.name.endswith(".jpg")}
        for start in tqdm(range(first, len(names), BATCH), mininterval=5):
            rows = names[start : start + BATCH]
            images = [vision.read(archive.extractfile(members[n]).read()).image for n in rows]
            x = torch.stack([vision.to_tensor(image) for image in images])
            for side, pixels in enumerate((x, x.flip(-1))):
                cells = encoder(pixels).flatten(2).transpose(1, 2)  # (B, 49, 1280)
                grids[start : start + len(rows), side] = cells.half().numpy()
            grids.flush()
            done.write_text(str(start + len(rows)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m models.training.features", description=__doc__)
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "features")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    extract(asked.data, asked.out)
