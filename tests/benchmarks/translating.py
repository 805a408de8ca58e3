"""Twenty words translated with every point, beside the decoder that a tutorial writes.

    python -m tests.benchmarks.translating [--quick]

Both use the same seeded, untrained weights of the size of translate-en-fr (speed does not depend on
what was learned), one thread, one sentence of 15 tokens. The tutorial's decoder calls `nn.GRU` for
each token and shows nothing but the weights. Rounds alternate; medians, and their ratios.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from models import kernels
from models.decoder import BEGIN, END
from models.seq2seq import Seq2Seq, Seq2SeqConfig
from models.subwords import Source, characters
from models.translator import Translator

WORDS, LENGTH = 15, 20
SIZE = {"embedding_size": 192, "encoder_size": 192, "decoder_size": 384, "attention_size": 192}


def made() -> tuple[Translator, Source]:
    """A network that never ends by itself, and a source."""
    alphabet = [chr(0x4E00 + k) for k in range(3997)]
    vocabulary = characters(alphabet)
    config = Seq2SeqConfig("gru", "additive", len(vocabulary), len(vocabulary), **SIZE)
    network = Seq2Seq(config).initialize(torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.output_bias[END] = -30.0
        for parameter in network.parameters():
            parameter.copy_(parameter.half())  # as a checkpoint stores them
    network.eval().requires_grad_(False)
    translator = Translator(network, vocabulary, vocabulary)
    return translator, translator.read("".join(alphabet[:: len(alphabet) // WORDS][: WORDS - 1]))


@torch.no_grad()
def tutorial(network: Seq2Seq, ids: list[int]) -> list[int]:
    """The likeliest tokens by fused layers, a call a token; batch first in time as usual."""
    attention = network.attention
    encoded, _ = network.encoder(network.source_embedding(torch.tensor(ids))[:, None])
    memory, state = network.remember(encoded)
    token, written = torch.tensor([BEGIN]), []
    for _ in range(LENGTH):
        y = network.target_embedding(token)
        query = attention.query(state[0])
        energy = torch.tanh(attention.key(memory.annotations) + query[:, None]) @ attention.v
        context = (energy.softmax(-1)[:, None] @ memory.annotations)[:, 0]
        output, state = network.decoder(torch.cat([y, context], -1)[None], state)
        merged = torch.tanh(network.readout(torch.cat([output[0], context, y], -1)))
        logits = nn.functional.linear(merged, network.target_embedding.weight, network.output_bias)
        token = logits.argmax(-1)
        written.append(int(token))
    return written


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    rounds = 5 if parser.parse_args(arguments).quick else 50
    torch.set_num_threads(1)
    kernels.warm_up()
    translator, source = made()

    def ours(beam_size: int = 1, points=None) -> list[int]:
        translator.source_points(source, points)
        *_, end = translator.translate(source, beam_size, 1.0, LENGTH, points=points)
        return end.token_ids

    ways = {
        "tutorial, weights only": lambda: tutorial(translator.network, source.ids),
        "ours, every point": ours,
        "ours, no point": lambda: ours(points=()),
        "ours, every point, beam 5": lambda: ours(5),
    }
    if ours() != ways["tutorial, weights only"]():
        print("the two write different texts")
        return 1
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - began)
    base = statistics.median(times["tutorial, weights only"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:28} {1000 * median:7.1f} ms   {median / base:5.2f}x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
