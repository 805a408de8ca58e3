"""Write what is generated into README.md: the settings, and the checkpoints with their figures.

Usage: scripts/document
"""

import json
import sys
from dataclasses import fields
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def settings() -> str:
    """One row a setting: its flag, its default, its help."""
    sys.path.insert(0, str(ROOT))
    from backend.settings import Settings

    rows = ["| flag of `serve` | default | what it sets |", "| --- | --- | --- |"]
    for entry in fields(Settings):
        default = entry.default
        if isinstance(default, Path):
            default = default.relative_to(ROOT)
        words = entry.metadata["help"]
        if entry.metadata.get("choices"):
            words += ": " + ", ".join(f"`{choice}`" for choice in entry.metadata["choices"])
        variable = entry.metadata.get("variable")
        if variable and variable not in words:
            words += f"; also the environment variable `{variable}`"
        rows.append(f"| `--{entry.name.replace('_', '-')}` | `{default}` | {words} |")
    return "\n".join(rows) + "\n"


def of_kind(*kinds: str) -> list[tuple[str, dict]]:
    """A link to the card, and config.json, of each committed checkpoint of some kinds."""
    found = []
    for path in sorted((ROOT / "checkpoints").glob("*/config.json")):
        about = json.loads(path.read_text("utf-8"))
        if about.get("kind") in kinds and about.get("training"):
            name = path.parent.name
            found.append((f"[{name}](checkpoints/{name}/README.md)", about))
    return found


def characters() -> str:
    """Character models; figures in nats a character on the test split."""
    rows = [
        "| checkpoint | network | parameters | characters read | test, nats | n-gram, nats |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    words = {"char_conv": "convolutions"}
    for link, about in of_kind("char_rnn", "char_conv", "transformer_lm", "ngram"):
        network, figures = about["config"], about["figures"]
        shape = f"{network.get('cell', words.get(about['kind'], 'transformer'))} "
        if "order" in network:
            shape = f"counts of up to {network['order']} characters"
        else:
            shape += f"{network['num_layers']}x{network['hidden_size']}"
        read = about["training"].get("characters")
        test = f"**{figures['test_nats']:.3f}**" if "test_nats" in figures else "none held out"
        if "looks" in figures:
            test = f"**{figures['exact']:.2%}** of texts in order"
        order, ngram = figures.get("ngram_order"), figures.get("ngram_test_nats")
        rows.append(
            f"| {link} | {shape} "
            f"| {about['parameters']:,} | {f'{read / 1e6:.1f}M' if read else '-'} "
            f"| {test} "
            f"| {f'{ngram:.3f} (order {order})' if ngram else '-'} |"
        )
    return "\n".join(rows) + "\n"


def translators() -> str:
    """Networks that read a text and write another; figures on the test texts."""
    rows = [
        "| checkpoint | attention | parameters | epochs | test | shortest | longest sources |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for link, about in of_kind("seq2seq", "transformer_seq2seq"):
        figures, network = about["figures"], about["config"]
        attention = network.get("attention") or f"transformer, {network['num_heads']} heads"
        if "bleu" in figures:
            test = f"**{figures['bleu']:.2f}** BLEU, {figures['bleu_greedy']:.2f} greedily"
            ends = [f"{row['bleu']:.2f}" for row in figures["bleu_by_length"]]
        else:
            test = (
                f"**{figures['exact']:.2%}** exact in forms never trained on, "
                f"{figures['exact_seen_forms']:.2%} in trained ones"
            )
            ends = [f"{row['exact']:.2%}" for row in figures["exact_by_length"]]
        rows.append(
            f"| {link} | {attention} | {about['parameters']:,} "
            f"| {about['training']['epochs']} | {test} | {ends[0]} | {ends[-1]} |"
        )
    return "\n".join(rows) + "\n"


def captioners() -> str:
    """Networks that describe photographs; figures on Flickr8k's test photographs, beam 5."""
    rows = [
        "| checkpoint | attention | parameters | BLEU-1 / 2 / 3 / 4 | CIDEr-D | distinct "
        "| attention in the object |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for link, about in of_kind("captioner"):
        found, attention = about["figures"]["beam"], about["config"]["attention"]
        one, two, three, four = (f"{x:.1f}" for x in found["bleu"])
        placed = about["figures"].get("placement")
        share = f"{placed['composed']['box']['mean']:.0%}" if placed else "-"
        rows.append(
            f"| {link} | {attention} | {about['parameters']:,} "
            f"| {one} / {two} / {three} / **{four}** | {found['cider']:.3f} "
            f"| {found['distinct']:,} | {share} |"
        )
    return "\n".join(rows) + "\n"


def answerers() -> str:
    """Networks that answer questions about a picture; figures on scenes never trained on."""
    rows = [
        "| checkpoint | parameters | right | without the picture | the usual answer "
        "| last look on the right thing |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for link, about in of_kind("vqa"):
        figures = about["figures"]
        shares = [
            figures[name]["all"]
            for name in ("right", "right_without_the_picture", "right_with_the_usual_answer")
        ]
        right, blind, usual = (f"{share:.2%}" for share in shares)
        rows.append(
            f"| {link} | {about['parameters']:,} | **{right}** | {blind} | {usual} "
            f"| {figures['placement']['last_hop']:.0%} |"
        )
    return "\n".join(rows) + "\n"


def forecasters() -> str:
    """Networks that read numbers; RMSE in thousands of passengers on the test months."""
    rows = [
        "| checkpoint | parameters | window | a month ahead | two years fed back "
        "| month before | year before |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for link, about in of_kind("forecaster"):
        figures = about["figures"]
        simple = (f"{figures[f'{name}_rmse']['test']:.1f}" for name in ("naive", "seasonal_naive"))
        found = figures["rmse"]
        rows.append(
            f"| {link} | {about['parameters']:,} | {about['config']['window']} months "
            f"| **{found['test']:.1f}** | {found['test_fed_back']:.1f} | {' | '.join(simple)} |"
        )
    return "\n".join(rows) + "\n"


def labellers() -> str:
    """Networks that give labels to texts or words; figures on the test part of their data."""
    rows = [
        "| checkpoint | network | parameters | right | the simple way | mean F1 | the simple way |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for link, about in of_kind("sequence_classifier", "tagger"):
        network, found = about["config"], about["figures"]
        shape = f"{network['cell']} {network['num_layers']}x{network['hidden_size']}"
        shape += ", both ways" * network["bidirectional"]
        simple = found["simple"]
        rows.append(
            f"| {link} | {shape} | {about['parameters']:,} | **{found['accuracy']:.2%}** "
            f"| {simple['accuracy']:.2%} | **{found['macro_f1']:.2%}** | {simple['macro_f1']:.2%} |"
        )
    return "\n".join(rows) + "\n"


TABLES = {
    "settings": settings,
    "characters": characters,
    "translators": translators,
    "captioners": captioners,
    "answerers": answerers,
    "labellers": labellers,
    "forecasters": forecasters,
}


def documented(text: str) -> str:
    """A README with its tables made anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: made by `make document` -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + table() + end + after
    return text


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(documented(path.read_text("utf-8")), "utf-8")
