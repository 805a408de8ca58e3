"""From trained weights on pairs to a checkpoint folder: measure what is stored, write the card."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from models.checkpoint import write_checkpoint
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.training.runs import stored
from models.training.seq2seq_recipes import PairRecipe
from models.translator import Translator
from models.writing import End

SCORES = {"additive": "additive attention", "dot": "dot attention", "general": "general attention"}


@dataclass(frozen=True)
class Making:
    """What a kind of network that is trained on pairs is made of, and how its card tells of it."""

    network: Callable[[Any], nn.Module]  # from its config
    translator: Callable[..., Any]  # from a network and its two vocabularies
    shape: Callable[[Any], str]  # of a config
    trained: Callable[[Any], str]  # how, by its recipe


def read_with(translator):
    """A function that translates one text with a beam of a width."""

    def translate(text: str, beam_size: int) -> str:
        source = translator.read(text)
        for item in translator.translate(source, beam_size, points=()):
            if isinstance(item, End):
                return item.text
        raise RuntimeError("a translation has an end")

    return translate


def finish(
    name: str,
    recipe,
    data,
    weights: dict,
    progress: dict,
    folder: Path,
    making: Making | None = None,
) -> None:
    """Round the weights to float16, measure them in float32, write the folder. The network is
    recurrent unless its `making` is given."""
    making = making or RECURRENT
    source, target = data.vocabularies
    config = recipe.config(len(source), len(target))
    network = stored(making.network(config), weights)
    translate = read_with(making.translator(network, source, target))
    figures = data.figures(translate)
    samples = [(text, translate(text, 5)) for text in recipe.examples]
    about = {
        "kind": network.kind,
        "title": recipe.title,
        "language": "en",
        "source_language": data.source_language,
        "target_language": data.target_language,
        "licence": recipe.licence,
        "prompt": recipe.prompt,
        "examples": list(recipe.examples),
        **({"pair": recipe.pair} if recipe.pair else {}),
        "config": config.to_dict(),
        "figures": figures,
        "data": {
            "files": data.hashes,
            "origin": recipe.origin,
            "licence": recipe.licence,
        },
        "training": {
            "epochs": progress["epoch"],
            "steps": progress["step"],
            "seconds": round(progress["seconds"]),
            "history": progress["history"],
        },
    }
    count = sum(value.numel() for value in weights.values())
    card = _card(name, recipe, data, config, count, figures, progress, samples, making)
    vocabulary = {
        "source.tokenizer.json": source.save(),
        "target.tokenizer.json": target.save(),
    }
    write_checkpoint(folder, about, vocabulary, weights, card)
    print(f"{folder}: {figures.get('bleu', figures.get('exact'))}")


def _figures(figures: dict) -> str:
    """The measured table, in whichever unit the data has."""
    if "bleu" in figures:
        rows = [
            (f"{figures['bleu_test']}, beam {figures['bleu_beam']}", f"**{figures['bleu']:.2f}**"),
            (f"{figures['bleu_test']}, beam 1", f"{figures['bleu_greedy']:.2f}"),
            *((f"{name}, beam {figures['bleu_beam']}", f"{figures[f'bleu_{name}']:.2f}")
              for name in ("test_2017_flickr", "test_2017_mscoco")),
            *((f"{figures['bleu_test']}, {one['from']} to {one['to']} English words "
               f"({one['sentences']} sentences)", f"{one['bleu']:.2f}")
              for one in figures["bleu_by_length"]),
        ]  # fmt: skip
        unit = f"BLEU (sacrebleu `{figures['bleu_signature']}`)"
    else:
        pairs = figures["exact_pairs"]
        rows = [
            (f"forms and days never trained on ({pairs} texts)", f"**{figures['exact']:.2%}**"),
            (f"trained forms, days never trained on ({pairs} texts)",
             f"{figures['exact_seen_forms']:.2%}"),
            *((f"the same, {one['from']} to {one['to']} characters ({one['sentences']} texts)",
               f"{one['exact']:.2%}") for one in figures["exact_by_length"]),
        ]  # fmt: skip
        unit = "the whole date is right"
    lines = [f"| {what} | {figure} |" for what, figure in rows]
    head = f"| measured on the stored float16 weights, computed in float32 | {unit} |"
    return "\n".join([head, "|---|---|", *lines])


def _recurrent(config: Seq2SeqConfig) -> str:
    cell = config.cell.upper()
    sees = SCORES.get(config.attention, "no attention: one fixed vector C of the whole source")
    return (
        f"a bidirectional {cell} encoder ({config.encoder_layers} layer of {config.encoder_size} "
        f"in each direction), a {cell} decoder of {config.decoder_size}, {sees}"
    )


def _trained(recipe: PairRecipe) -> str:
    return f"Adam at {recipe.learning_rate:g} with a cosine, bfloat16 products while training"


RECURRENT = Making(Seq2Seq, Translator, _recurrent, _trained)


def _card(name, recipe, data, config, count, figures, progress, samples, making) -> str:
    partner = f" Its partner of the same size is `{recipe.pair}`." if recipe.pair else ""
    hashes = "\n".join(f"- SHA-256 of `{file}`: `{sha}`" for file, sha in data.hashes.items())
    shown = "\n".join(f"- `{text}`\n  `{written}`" for text, written in samples)
    return f"""# {name}

{recipe.title}: {making.shape(config)}; {config.source_size:,} source and \
{config.target_size:,} target tokens, {count:,} parameters.{partner}

{_figures(figures)}

The command that trained it and measured these figures: `make train NAME={name}`
({progress["epoch"]} epochs, {progress["step"]:,} steps of up to {recipe.batch_size} pairs, \
{making.trained(recipe)}, gradient norm clipped at {recipe.clip:g}, label smoothing \
{recipe.smoothing:g}, dropout {config.dropout:g}, running mean of the weights, the best epoch by \
validation, {progress["seconds"] / 60:.0f} minutes on one busy CPU core).

## Data

- {recipe.source}
- origin: {recipe.origin}
- licence: {recipe.licence}
{hashes}

## Samples, unedited, beam 5

{shown}
"""
