"""Encoders with decoders of other people are recognised by names and shapes, or left alone."""

import numpy as np
import pytest
import torch
from torch import nn

from models.doctor import NotUsable, convert, diagnose
from models.doctor.doctor import opened
from models.doctor.encoder_decoder import ARPABET, KNOWN, plain
from tests.toys.translators import LETTERS, SOUNDS

S, T, H = len(LETTERS), len(SOUNDS), 6
TOLD = {
    "source_vocabulary": LETTERS,
    "target_vocabulary": SOUNDS,
    "decoder_input": "plain",
}
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed + sum(shape)).normal(size=shape).astype(np.float32)


def pair(cell="gru", source=4, target=5, layers=1, **names) -> dict[str, np.ndarray]:
    """A file under names of somebody's own."""
    said = {
        "reads": "encoder.rnn", "writes": "decoder.rnn", "out": "decoder.out",
        "read": "encoder.embedding.weight", "written": "decoder.embedding.weight",
    } | names  # fmt: skip
    layer = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn_tanh": nn.RNN}[cell]
    found = {said["read"]: numbers(S, source), said["written"]: numbers(T, target)}
    for path, width in ((said["reads"], source), (said["writes"], target)):
        for name, value in layer(width, H, layers).state_dict().items():
            found[f"{path}.{name}"] = numbers(*value.shape)
    found |= {f"{said['out']}.weight": numbers(T, H), f"{said['out']}.bias": numbers(T)}
    return found


@pytest.mark.parametrize(
    ("cell", "layers", "names"),
    [
        ("gru", 1, {}),
        ("lstm", 2, {"reads": "enc.lstm", "writes": "dec.lstm", "out": "fc"}),
        ("gru", 1, {"read": "src_embed.weight", "written": "tgt_embed.weight", "out": "generator"}),
        ("rnn_tanh", 1, {"reads": "module.encoder", "writes": "module.decoder"}),
    ],
)
def test_a_pair_is_recognised_by_whatever_name_and_runs(cell, layers, names):
    tensors = pair(cell, layers=layers, **names)
    diagnosis = diagnose(tensors, {})
    assert diagnosis.kind == "state_seq2seq"
    assert (diagnosis.config["cell"], diagnosis.config["num_layers"]) == (cell, layers)
    assert {q.name for q in diagnosis.questions} == set(TOLD)
    expected = {f"{side}.{k}" for side in ("encoder", "decoder") for k in range(layers)}
    assert {proof.layer for proof in diagnosis.proof} == expected
    assert min(proof.digits for proof in diagnosis.proof) > 12
    runner = opened(convert(tensors, {}, TOLD))
    *_, end = runner.translate(runner.read("abba"), max_new_tokens=3)
    assert len(end.token_ids) <= 3


def test_the_table_that_is_as_large_as_the_output_is_told_from_it_by_the_bias():
    tensors = pair(source=H, target=H)
    tensors["decoder.embedding.weight"], tensors["decoder.out.weight"] = (
        numbers(T, H, seed=1),
        numbers(T, H, seed=2),
    )
    weights = convert(tensors, {}, TOLD).weights
    assert weights["output.weight"] is tensors["decoder.out.weight"]
    assert weights["target_embedding.weight"] is tensors["decoder.embedding.weight"]


def test_names_without_dots_are_read_as_torch_would_write_them():
    assert plain("enc_w_ih") == "enc.weight_ih"
    assert plain("dec_b_hh") == "dec.bias_hh"
    assert plain("decoder.weight_ih_l1") == "decoder.weight_ih_l1"
    assert plain("fc_w") == "fc_w"
    tensors = {"enc_emb": numbers(S, 4), "dec_emb": numbers(T, 5)}
    for side, width in (("enc", 4), ("dec", 5)):
        for name, shape in zip(
            PARTS, ((3 * H, width), (3 * H, H), (3 * H,), (3 * H,)), strict=True
        ):
            short = name.replace("weight", "w").replace("bias", "b")
            tensors[f"{side}_{short}"] = numbers(*shape)
    tensors |= {"fc_w": numbers(T, H), "fc_b": numbers(T)}
    assert convert(tensors, {}, TOLD).about["kind"] == "state_seq2seq"


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("attention", {"decoder.attn.weight": (S, H)}),
        ("a bridge", {"bridge.weight": (H, H), "bridge.bias": (H,)}),
        ("no bias", {"decoder.out.bias": None}),
        ("no table", {"encoder.embedding.weight": None}),
        ("a context beside the token", {"decoder.rnn.weight_ih_l0": (3 * H, 5 + H)}),
    ],
)
def test_what_is_joined_otherwise_is_not_taken_for_it(what, change):
    tensors = pair()
    for name, shape in change.items():
        tensors.pop(name, None)
        if shape:
            tensors[name] = numbers(*shape)
    diagnosis = diagnose(tensors, {})
    assert diagnosis.kind is None
    assert diagnosis.problems != ()
    with pytest.raises(NotUsable):
        convert(tensors, {}, TOLD)


def test_an_encoder_of_both_directions_is_not_taken_for_it():
    tensors = pair()
    for name in PARTS:
        own = tensors[f"encoder.rnn.{name}_l0"]
        tensors[f"encoder.rnn.{name}_l0_reverse"] = own
    assert diagnose(tensors, {}).kind is None


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (LETTERS[:-1], "7"),
        ([*LETTERS[:-1], LETTERS[0]], "distinct"),
        (list("abcdefg"), "end"),
        ("nothing", "7"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_with_its_reason(answer, what):
    diagnosis = diagnose(pair(), {}, TOLD | {"source_vocabulary": answer})
    (question,) = diagnosis.questions
    assert question.name == "source_vocabulary"
    assert what in question.text


def test_a_function_that_leaves_no_trace_is_asked_for_and_then_computed():
    tensors = pair(source=4, target=5)
    tensors["decoder.embedding.weight"] -= 3.0  # relu leaves nothing of it
    plain, rectified = (
        opened(convert(tensors, {}, TOLD | {"decoder_input": answer}))
        for answer in ("plain", "relu")
    )
    tokens = torch.tensor([[2, 4, 5]]).T
    source = torch.tensor([[3, 4, 2]]).T
    assert (plain.network(source, tokens) != rectified.network(source, tokens)).any()
    other = rectified.network(source, tokens.flip(0))  # all that is read is zero
    torch.testing.assert_close(rectified.network(source, tokens), other)
    (asked,) = diagnose(tensors, {}, TOLD | {"decoder_input": "gelu"}).questions
    assert asked.name == "decoder_input"


def test_lists_that_the_file_holds_are_taken():
    extras = {"src_vocab": LETTERS, "trg_vocab": {symbol: k for k, symbol in enumerate(SOUNDS)}}
    assert [q.name for q in diagnose(pair(), extras).questions] == ["decoder_input"]
    runner = opened(convert(pair(), extras, {"decoder_input": "plain"}))
    assert [token.strip() for token in runner.target_tokens] == SOUNDS


def test_the_sounds_that_are_guessed_are_those_of_the_dictionary():
    assert len(ARPABET) == 3 * 15 + 24
    sizes = {side: [len(symbols) for _, symbols in KNOWN[side]] for side in KNOWN}
    assert sizes == {"source": [29, 28], "target": [74, 73, 28]}
    for side in KNOWN:
        assert all(len(set(symbols)) == len(symbols) for _, symbols in KNOWN[side])


def test_what_is_converted_is_the_file_bit_for_bit():
    tensors = pair("lstm", layers=2)
    weights = convert(tensors, {}, TOLD).weights
    key = lambda value: (value.shape, value.tobytes())
    assert sorted(map(key, weights.values())) == sorted(map(key, tensors.values()))
    assert torch.tensor(weights["encoder.weight_ih_l1"]).shape == (4 * H, H)
