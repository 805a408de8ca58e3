"""Whether the attention of a captioner lies where the thing is that a word names.

Two measures, and beside each what an attention that knows nothing would get.

- Composed scenes that were held out: where the network's own caption names a thing that was pasted
  in, the share of that word's attention inside the thing's box, and inside its outline.
- The pointing game (Zhang et al. 2018, arXiv:1608.00507) on photographs of the test split with
  boxes marked by hand: how often the middle of the likeliest cell lies inside the box of the thing
  that the word names, or, as is usual, at most 15 pixels from it, and the share of attention in the
  box. Once for the network's own captions, once for what people wrote.

Usage: `python -m models.training.placement --run runs/caption-soft`, or a checkpoint folder.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.captioner import Captioner
from models.decoder import BEGIN, END
from models.efficientnet import GRID
from models.subwords import Vocabulary
from models.training.captions import likeliest, write
from models.training.composed import Composed
from models.training.composed_scenes import box_mask, cover
from models.training.composed_sentences import plural
from models.training.marked import Mark, marks
from models.training.photographs import Flickr8k

TOLERANCE = 15.0  # pixels
BATCH = 50
MIDDLE = GRID * GRID // 2  # the cell in the middle of the picture


@torch.no_grad()
def weights(network: Captioner, cells: Tensor, captions: list[list[int]]) -> list[np.ndarray]:
    """Cells (B, S, F) and a caption for each, without the end mark -> the attention of each word,
    (T, S). What the network wrote itself has the attention it was written with."""
    if network.attention is None:
        raise ValueError("a network without attention looks nowhere")
    longest = max(map(len, captions), default=0)
    if not longest:
        return [np.zeros((0, cells.shape[1]), np.float32) for _ in captions]
    read = [[BEGIN, *ids, *[END] * (longest - len(ids))][:longest] for ids in captions]
    look = likeliest if network.config.attention == "hard" else None
    found = network.follow(*network.read(cells), torch.tensor(read).t(), look).weights
    return [found[: len(ids), k].numpy() for k, ids in enumerate(captions)]


def words_of(vocabulary: Vocabulary, ids: Sequence[int]) -> list[str]:
    """The words of a caption, one a token."""
    return [vocabulary.tokens[number].strip() for number in ids]


def figure(values: Sequence[float], **floors: Sequence[float]) -> dict[str, float] | None:
    """How many, their mean, its standard error, and the means of the floors; None where there is
    nothing."""
    if not len(values):
        return None
    spread = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    found = {"mean": np.mean(values), "error": spread}
    found |= {name: np.mean(some) for name, some in floors.items()}
    return {"count": len(values), **{k: round(float(value), 4) for k, value in found.items()}}


def composed_share(network: Captioner, composed: Composed) -> dict:
    """The share of attention inside what is named, on the composed scenes of the test. `even` is
    the share of the picture that it fills, `written` the share of the things that were named."""
    rows, regions, named = composed.parts["test"], 0, 0
    found: dict[str, list[tuple[float, float]]] = {"box": [], "outline": []}
    for first in range(0, len(rows), BATCH):
        some = rows[first : first + BATCH]
        cells = composed.grids(some)
        captions = write(network, cells)
        looked = weights(network, cells, captions)
        for row, ids, attention in zip(some, captions, looked, strict=True):
            things = composed.pictures[row]["regions"]
            names = [{form for n in one["names"] for form in (n, plural(n))} for one in things]
            covers = {
                "box": np.array([cover(box_mask(one["box"])) for one in things]),
                "outline": np.array([one["cover"] for one in things]),
            }
            words = words_of(composed.vocabulary, ids)
            regions += len(things)
            named += sum(not forms.isdisjoint(words) for forms in names)
            for word, share in zip(words, attention, strict=True):
                meant = [k for k, forms in enumerate(names) if word in forms]
                for shape, parts in covers.items():
                    if meant:
                        inside = parts[meant].sum(0).clip(max=1)  # (49,)
                        found[shape].append((float(share @ inside), float(inside.mean())))
    return {
        "scenes": len(rows),
        "words": len(found["box"]),
        "written": round(named / regions, 4),
        **{
            shape: figure([a for a, _ in pairs], even=[b for _, b in pairs])
            for shape, pairs in found.items()
        },
    }


def pointing(
    network: Captioner, data: Flickr8k, captions: dict[str, list[list[int]]], marked: list[Mark]
) -> dict:
    """The pointing game with captions of each marked photograph. A box counts once: its figure is
    the mean over the captions that name it. `even` knows nothing, `centre` always looks there;
    `away` are the hits of the boxes that the centre of the picture is not in."""
    columns = ("share", "hit", "near", "away")
    boxes, words = {name: ([], [], []) for name in columns}, 0
    for name in dict.fromkeys(mark.file for mark in marked):
        own = captions[name]
        looked = weights(network, data.cells([name]).expand(len(own), -1, -1), own)
        texts = [words_of(data.vocabulary, ids) for ids in own]
        for mark in (one for one in marked if one.file == name):
            at = [next((k for k, w in enumerate(text) if w in mark.words), None) for text in texts]
            rows = [looked[n][k] for n, k in enumerate(at) if k is not None]
            if not rows:
                continue
            words += len(rows)
            points = [np.eye(len(row))[row.argmax()] for row in rows]
            held = mark.holds()
            asked = {
                "share": (rows, mark.cover),
                "hit": (points, held),
                "near": (points, mark.holds(TOLERANCE)),
            }
            if not held[MIDDLE]:
                asked["away"] = asked["hit"]
            for column, (got, cells) in asked.items():
                values = np.mean([row @ cells for row in got]), cells.mean(), cells[MIDDLE]
                for column_values, value in zip(boxes[column], values, strict=True):
                    column_values.append(float(value))
    return {
        "words": words,
        "boxes": len(boxes["hit"][0]),
        **{name: figure(a, even=b, centre=c) for name, (a, b, c) in boxes.items()},
    }


def figures(network: Captioner, data: Flickr8k, features: Path) -> dict:
    """Everything that is measured here, in plain JSON values."""
    marked = marks()
    names = list(dict.fromkeys(mark.file for mark in marked))
    own = write(network, data.cells(names))
    people = {
        name: [ids[:-1] for ids in data.vocabulary.encode_many(data.captions[name])]
        for name in names
    }
    return {
        "composed": composed_share(network, Composed(features, data.vocabulary)),
        "own": pointing(network, data, {n: [c] for n, c in zip(names, own, strict=True)}, marked),
        "people": pointing(network, data, people, marked),
    }


def table(found: dict) -> str:
    """The figures as a table in Markdown, in per cent."""

    def row(what: str, one: dict | None, unit: str) -> str:
        if one is None:
            return f"| {what} | no {unit} | | | |"
        parts = [f"{one['count']} {unit}", f"{100 * one['mean']:.1f} ± {100 * one['error']:.1f}"]
        parts += [f"{100 * one[name]:.1f}" if name in one else "" for name in ("even", "centre")]
        return f"| {what} | {' | '.join(parts)} |"

    composed = found["composed"]
    rows = [
        row(
            f"composed scenes, own captions: attention inside the {shape}", composed[shape], "words"
        )
        for shape in ("box", "outline")
    ]
    measured = {
        "share": "attention inside the box",
        "hit": "likeliest cell inside the box",
        "away": "likeliest cell inside, of the boxes that the centre is not in",
        "near": f"likeliest cell at most {TOLERANCE:.0f} pixels from it",
    }
    for whose, title in (("own", "own captions"), ("people", "captions by people")):
        for name, what in measured.items():
            rows.append(row(f"photographs, {title}: {what}", found[whose][name], "boxes"))
    head = "| % | of | measured | even attention | the centre |\n|---|---|---|---|---|\n"
    note = f"\n\nOf the things pasted in, {100 * composed['written']:.0f}% were named."
    return head + "\n".join(rows) + note


def load(folder: Path, vocabulary: Vocabulary) -> Captioner:
    """The network of a checkpoint folder, or the best so far of a run that is named like its
    recipe."""
    if (folder / "config.json").exists():
        from models.checkpoint import read_checkpoint
        from models.describer import open_checkpoint

        return open_checkpoint(read_checkpoint(folder)).network
    from models.training.caption_recipes import CAPTION_RECIPES
    from models.training.runs import resume_best

    network = Captioner(CAPTION_RECIPES[folder.name].config(len(vocabulary)))
    network.load_state_dict(resume_best(folder)[0])
    return network.eval().requires_grad_(False)


if __name__ == "__main__":
    from models.training.__main__ import ROOT, data_folder

    parser = argparse.ArgumentParser(prog="python -m models.training.placement")
    parser.add_argument("--run", type=Path, required=True, help="a run's or checkpoint's folder")
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--features", type=Path, default=ROOT / "runs" / "features")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    flickr = Flickr8k(asked.data, asked.features)
    measured = figures(load(asked.run, flickr.vocabulary), flickr, asked.features)
    print(json.dumps(measured, indent=1))
    print(table(measured))
