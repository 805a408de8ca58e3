"""Networks of the sizes of GPT-2 and BERT with seeded, untrained weights, in ours and in peers.

What they cost does not depend on what they have learned. `write` makes a folder in Hugging Face's
form, with a tokenizer of made-up words, one a token; everybody reads the same folder.
"""

import logging
import tempfile
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

FAMILIES = ("gpt2", "bert")
CONTEXT = {"gpt2": 1024, "bert": 512}
PARTS = ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "pe", "du", "go", "hi")
WORDS = ["".join(parts) for parts in product(PARTS, repeat=3)]


def installed(name: str) -> bool:
    """Whether a peer can be measured."""
    return find_spec(name) is not None


def words(count: int) -> list[str]:
    """Words of a text, so many."""
    at = torch.randint(len(WORDS), (count,), generator=torch.Generator().manual_seed(1))
    return [WORDS[k] for k in at.tolist()]


def write(folder: Path, family: str) -> None:
    """12 layers of 12 heads, 768 units; weights lively enough that heads differ."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    if family == "gpt2":
        made = transformers.GPT2LMHeadModel(transformers.GPT2Config(initializer_range=0.05))
    else:
        config = transformers.BertConfig(initializer_range=0.05)
        made = transformers.BertModel(config, add_pooling_layer=False)
    made.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({w: k for k, w in enumerate(WORDS)}, unk_token=WORDS[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))


def ours(folder: Path):
    """What the server runs."""
    from models.kinds import open_checkpoint

    return open_checkpoint(folder)


def theirs(folder: Path, attention: str):
    """The stack of `transformers`, without a map to the tokens; `attention`: sdpa, eager."""
    import transformers

    kind = "GPT2Model" if "gpt2" in folder.name else "BertModel"
    options = {} if kind == "GPT2Model" else {"add_pooling_layer": False}
    network = getattr(transformers, kind).from_pretrained(
        folder, attn_implementation=attention, **options
    )
    return network.eval().requires_grad_(False)


def hooked(folder: Path):
    """TransformerLens with the weights of GPT-2."""
    import transformers
    from transformer_lens.model_bridge import TransformerBridge

    logging.getLogger().setLevel(logging.ERROR)
    network = transformers.GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager")
    end = dict.fromkeys(("bos_token", "eos_token", "unk_token"), WORDS[0])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), **end
    )
    with tempfile.TemporaryDirectory() as place:  # it is read again, by its name
        tokenizer.save_pretrained(place)
        bridge = TransformerBridge.boot_transformers(
            str(folder),
            hf_model=network,
            tokenizer=transformers.PreTrainedTokenizerFast.from_pretrained(place),
            device="cpu",
        )
    return bridge.eval().requires_grad_(False)


def tokens(count: int) -> Tensor:
    """The numbers of the first words of a text, (1, count)."""
    index = {word: k for k, word in enumerate(WORDS)}
    return torch.tensor([[index[word] for word in words(count)]])
