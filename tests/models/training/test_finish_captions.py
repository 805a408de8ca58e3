import json

import pytest
import torch

from models.efficientnet import FEATURES, GRID
from models.kinds import open_checkpoint
from models.training import caption_figures, placement
from models.training.cider import Cider
from models.training.finish_captions import finish, quantiles, write
from tests.models.training.lamps import COLOURS, SIZES, Lamps, recipe, train_on

SIZE = SIZES | {"feature_size": FEATURES, "grid": GRID}
PLACES = {"composed": {"box": 0.75}}


def own_cider(texts, streams) -> float:
    """The same metric, as training has it: `pycocoevalcap` is not among what tests need."""
    about = {k: [one.split() for one in refs] for k, refs in enumerate(zip(*streams, strict=True))}
    cider = Cider(about)
    return sum(cider.score(k, text.split()) for k, text in enumerate(texts)) / len(texts)


@pytest.fixture(scope="module", params=["soft", "hard", "none"])
def finished(request, tmp_path_factory):
    data = Lamps(FEATURES, GRID * GRID)
    one = recipe(
        network=SIZE | {"attention": request.param}, epochs=6, polish=1, start="caption-first"
    )
    folder = tmp_path_factory.mktemp("captions")
    weights, progress, _ = train_on(one, data, folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caption_figures, "cider", own_cider)
        patch.setattr(placement, "figures", lambda network, data, features: PLACES)
        patch.setattr(placement, "table", lambda found: f"box {found['composed']['box']}")
        finish("lights", one, data, weights, [progress, progress], folder, folder / "lights")
    return folder / "lights", weights, data, request.param


def about(folder) -> dict:
    return json.loads((folder / "config.json").read_text())


def test_the_figures_are_those_of_the_folder_as_it_opens(finished):
    folder, _, data, attention = finished
    opened = open_checkpoint(folder)
    texts = [
        write(opened, data.cells([name]), beam_size=5, length_penalty=1.0).text
        for name in data.split["test"]
    ]
    figures = about(folder)["figures"]
    streams = caption_figures.references(data, data.split["test"])
    assert figures["beam"]["bleu"] == caption_figures.bleu(texts, streams)
    assert figures["beam"]["distinct"] == len(set(texts))
    assert ("drawn" in figures) == (attention == "hard")
    assert figures.get("placement") == (None if attention == "none" else PLACES)


def test_the_weights_are_stored_rounded_to_float16(finished):
    folder, weights, _, _ = finished
    stored = open_checkpoint(folder).network.state_dict()
    assert all(torch.equal(stored[name], weights[name].half().float()) for name in weights)


def test_what_is_usual_on_validation_stands_in_the_middle_of_the_calibration(finished):
    folder, _, data, _ = finished
    opened = open_checkpoint(folder)
    for name in COLOURS:
        cells = data.cells([name])
        assert 0 <= opened.familiarity(cells)["share"] <= 1
        sure = write(opened, cells).log_probability
        assert 0 <= opened.confidence(sure)["share"] <= 1
    strange = torch.full_like(cells, -5.0)
    assert opened.familiarity(strange)["share"] == 0.0
    assert opened.confidence(-50.0)["share"] == 0.0


def test_the_card_names_the_command_the_stages_the_figures_and_the_data(finished):
    folder, _, data, attention = finished
    card = (folder / "README.md").read_text()
    for words in (
        "make train NAME=lights",
        "from the weights of `caption-first`",
        "self-critical training",
        "one person against the other four",
        "research and education, not commercial",
        *data.hashes.values(),
        "`red`",
    ):
        assert words in card
    assert ("box 0.75" in card) == (attention != "none")
    assert ("published (Xu" in card) == (attention != "none")
    assert "\\\n" not in card


def test_quantiles_ascend_from_the_smallest_value_to_the_greatest():
    found = quantiles(torch.randn(500, generator=torch.Generator().manual_seed(0)))
    assert found == sorted(found)
    assert len(found) == 101
    assert quantiles([3.0, 1.0, 2.0])[50] == 2.0
