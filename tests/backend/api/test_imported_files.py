"""Whole files as people save them go in over HTTP, and come out as networks that say what the
original said: language models of many layouts, an encoder with a decoder, a reader of lines."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torch.nn import functional as F

from backend.settings import Settings
from models import lines
from models.kinds import open_checkpoint
from tests.backend.bringing import answer, bring, saved
from tests.backend.serving import decode, events, in_process
from tests.oracle_lines import Lines, lively
from tests.strangers import stranger
from tests.toys.pictures import SIGNS
from tests.toys.translators import LETTERS, SOUNDS

SYMBOLS = list("\n abcdefgh")
V, E, H = len(SYMBOLS), 5, 6
TEXT = "abc fed\nbad head"
CLOSE = 1e-5  # of logits and probabilities, float32 against float32


class WordLanguageModel(nn.Module):
    """The layout of PyTorch's own example of a language model, its matrices tied."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(V, H)
        self.rnn = nn.LSTM(H, H, 2)
        self.decoder = nn.Linear(H, V)
        self.decoder.weight = self.encoder.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.rnn(self.encoder(tokens))[0])


class Own(nn.Module):
    """Names of somebody's own, which mean something else elsewhere."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(V, E)
        self.lstm = nn.GRU(E, H)
        self.decoder = nn.Linear(H, V)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.lstm(self.encoder(tokens))[0])


class ByHand(nn.Module):
    """Cells that are stepped by hand, one-hot input."""

    def __init__(self):
        super().__init__()
        self.lstm1 = nn.LSTMCell(V, H)
        self.lstm2 = nn.LSTMCell(H, H)
        self.head = nn.Linear(H, V, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        first = second = None
        logits = []
        for x in F.one_hot(tokens, V).float():
            first = self.lstm1(x, first)
            second = self.lstm2(first[0], second)
            logits.append(self.head(second[0]))
        return torch.stack(logits)


def spread(network: nn.Module, seed: int = 5) -> nn.Module:
    """The network with weights of a seed that look trained."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
    return network.eval().requires_grad_(False)


def state(network: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    return {prefix + name: value for name, value in network.state_dict().items()}


def lightning(network: nn.Module) -> bytes:
    """What a trainer of Lightning writes: the network is `self.model`; much stands beside it."""
    optimizer = torch.optim.Adam([nn.Parameter(torch.ones(3))])
    optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
    optimizer.step()
    return saved(
        {
            "epoch": 3,
            "global_step": 1200,
            "pytorch-lightning_version": "2.4.0",
            "state_dict": state(network, "model."),
            "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4}}}},
            "callbacks": {"ModelCheckpoint{'monitor': 'val_loss'}": {"best_model_score": 1.5}},
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [],
            "hparams_name": "kwargs",
            "hyper_parameters": {"lr": 0.001, "itos": SYMBOLS},
        }
    )


def legacy(network: nn.Module) -> bytes:
    """As torch wrote files before 1.6, of a network on several devices."""
    raw = io.BytesIO()
    torch.save(state(network, "module."), raw, _use_new_zipfile_serialization=False)
    return raw.getvalue()


def arrays(network: nn.Module) -> bytes:
    """A file of numpy."""
    raw = io.BytesIO()
    np.savez(raw, **{name: value.numpy() for name, value in state(network).items()})
    return raw.getvalue()


@dataclass(frozen=True)
class Layout:
    """A network, and how its file is written."""

    network: type
    write: object
    asks: bool = True  # for its symbols
    name: str = "model.pt"


LAYOUTS = {
    "word-language-model": Layout(WordLanguageModel, lambda n: saved(state(n))),
    "own-names": Layout(Own, lambda n: saved({"net": state(n), "chars": SYMBOLS}), asks=False),
    "lightning": Layout(Own, lightning, asks=False, name="epoch=3-step=1200.ckpt"),
    "compiled": Layout(Own, lambda n: saved({"model": state(n, "_orig_mod."), "epoch": 7})),
    "legacy": Layout(WordLanguageModel, legacy, name="old.pth"),
    "safetensors": Layout(ByHand, lambda n: save_safetensors(state(n)), name="x.safetensors"),
    "numpy": Layout(Own, arrays, name="weights.npz"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


@pytest.fixture(scope="module")
def client(folder):
    settings = Settings(
        checkpoints=folder / "none", imports=folder, device="cpu", max_streams=4, importing="on"
    )
    with in_process(settings) as client:
        yield client


def take(client, raw: bytes, name: str, **answers) -> tuple[str, dict]:
    """Bring a file and answer what it asks: its id and the diagnosis."""
    told = bring(client, raw, name)
    assert told.status_code == 201, told.text[:500]
    body = told.json()
    asked = {question["name"] for question in body["diagnosis"]["questions"]}
    assert asked == set(answers), body["diagnosis"]
    if answers:
        body = answer(client, body["id"], answers=answers).json()
    assert body["status"] == "ready", body
    return body["id"], body["diagnosis"]


@torch.no_grad()
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_language_model_says_and_writes_what_it_did(client, folder, layout):
    how = LAYOUTS[layout]
    network = spread(how.network(), seed=len(layout))
    raw = how.write(network)
    id, diagnosis = take(client, raw, how.name, **({"vocabulary": SYMBOLS} if how.asks else {}))
    assert diagnosis["kind"] == "char_rnn"
    assert min(proof["digits"] for proof in diagnosis["proof"]) > 12
    tokens = torch.tensor([SYMBOLS.index(c) for c in TEXT])
    expected = network(tokens[:, None])[:, 0]
    ours = open_checkpoint(folder / id).network(tokens[:, None])[0][:, 0]
    torch.testing.assert_close(ours, expected, atol=CLOSE, rtol=0)

    body = {"text": TEXT, "points": ["rnn.0.h"], "top": V}
    told = client.post(f"/api/checkpoints/{id}/trace", json=body)
    assert told.status_code == 200, told.text[:500]
    after = told.json()["next"]
    best, order = expected.softmax(-1).sort(descending=True)
    np.testing.assert_allclose(decode(after["probabilities"]), best.numpy(), atol=CLOSE)
    assert after["tokens"][-1] == [SYMBOLS[k] for k in order[-1].tolist()]
    assert told.json()["points"]["rnn.0.h"]["data"]["shape"] == f"{len(TEXT)}, {H}"

    # The likeliest symbol, again and again, is what the original would write.
    greedy = {"prefix": TEXT, "max_new_tokens": 5, "temperature": 1.0, "top_k": 1, "seed": 1}
    answered = client.post(f"/api/checkpoints/{id}/generate", json=greedy | {"points": []})
    written = events(answered.text)[-1][1]["text"]
    whole = tokens
    for _ in range(5):
        whole = torch.cat([whole, network(whole[:, None])[-1, 0].argmax()[None]])
    assert written == "".join(SYMBOLS[k] for k in whole.tolist())


class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(LETTERS), 4)
        self.gru = nn.GRU(4, H)


class Speaks(nn.Module):
    """As in PyTorch's tutorial: a relu, without weights, stands behind the embedding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(SOUNDS), 4)
        self.gru = nn.GRU(4, H)
        self.out = nn.Linear(H, len(SOUNDS))


@torch.no_grad()
def test_an_encoder_and_a_decoder_in_one_file_translate_as_they_did(client):
    encoder, decoder = spread(Reads()), spread(Speaks(), 6)
    raw = saved({"encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "epoch": 1})
    lists = {"source_vocabulary": LETTERS, "target_vocabulary": SOUNDS}
    id, diagnosis = take(client, raw, "pair.pt", **lists, decoder_input="relu")
    assert diagnosis["kind"] == "state_seq2seq"
    body = {"text": "abbacd", "max_new_tokens": 6, "points": ["decoder.0.h", "encoder.0.h"]}
    told = client.post(f"/api/checkpoints/{id}/translate", json=body).json()
    source = torch.tensor([LETTERS.index(letter) for letter in ["a", "b", "b", "a", "c", "d"]])
    source = torch.cat([source, torch.tensor([LETTERS.index("</s>")])])
    read, h = encoder.gru(encoder.embedding(source)[:, None])
    np.testing.assert_allclose(
        decode(told["points"]["encoder.0.h"]["data"]), read[:, 0].numpy(), atol=CLOSE
    )
    token, expected, states = SOUNDS.index("<s>"), [], []
    while len(expected) < 6 and token != SOUNDS.index("</s>"):
        state_, h = decoder.gru(decoder.embedding(torch.tensor([[token]])).relu(), h)
        logits = decoder.out(state_)[0, 0]
        logits[SOUNDS.index("<s>")] = -torch.inf  # a mark that no text holds
        token = int(logits.argmax())
        expected.append(token)
        states.append(state_[0, 0].numpy())
    assert told["target_ids"] == expected
    np.testing.assert_allclose(
        decode(told["points"]["decoder.0.h"]["data"]), np.stack(states), atol=CLOSE
    )


@torch.no_grad()
def test_a_reader_of_lines_reads_what_it_did(client, folder):
    network = lively(Lines((2, 3, 4, 5), 4, 6, 2, len(SIGNS)))
    raw = saved(state(network, "module."))
    id, diagnosis = take(client, raw, "best_accuracy.pth", vocabulary=SIGNS, height="32")
    assert diagnosis["kind"] == "crnn"
    told = client.post(
        f"/api/checkpoints/{id}/read", params={"text": "a cab", "points": "probabilities"}
    ).json()
    pixels = decode(told["picture"]).astype(np.float32)
    assert pixels.shape == lines.fit(lines.draw("a cab"), 32, 16).shape
    grey = torch.from_numpy(pixels / 255)
    expected = network(((grey - 0.5) / 0.5)[None, None])[0].softmax(-1)
    ours = decode(told["points"]["probabilities"]["data"])
    np.testing.assert_allclose(ours, expected.numpy(), atol=CLOSE)


def test_a_published_file_is_dropped_asked_for_its_symbols_and_speaks(client, tmp_path):
    raw = stranger("g2p-en", tmp_path).read_bytes()
    told = bring(client, raw, "checkpoint20.npz").json()
    asked = told["diagnosis"]["questions"]
    answers = {q["name"]: q["guesses"][0]["value"] for q in asked if q["guesses"]}
    answers["decoder_input"] = "plain"
    assert answer(client, told["id"], answers=answers).json()["status"] == "ready"
    body = {"text": "activationist", "points": ["decoder.0.r"]}
    spoken = client.post(f"/api/checkpoints/{told['id']}/translate", json=body).json()
    # What the package's own code says, as in tests/checkpoints/test_strangers.py.
    assert spoken["text"] == "AE2 K T IH0 V EY1 SH AH0 N IH0 S T"
    assert spoken["points"]["decoder.0.r"]["range"] == "unit"
