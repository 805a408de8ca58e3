from pathlib import Path

from PIL import Image

from models.training.composed_sentences import VERBS
from models.training.composed_stamps import picture, rivals, table


def test_what_is_tested_was_trained_on_with_other_pictures_of_the_same_name():
    stamps = table()
    files = [stamp.file for stamp in stamps]
    assert len(files) == len(set(files))
    parts = {part: [s for s in stamps if s.part == part] for part in ("train", "test")}
    assert len(parts["train"]) + len(parts["test"]) == len(stamps)
    trained = {name for stamp in parts["train"] for name in stamp.names}
    assert {name for stamp in parts["test"] for name in stamp.names} <= trained
    assert len(parts["test"]) / len(stamps) > 0.25


def test_every_cut_out_is_of_a_kind_that_sentences_can_be_made_of():
    assert {stamp.kind for stamp in table()} <= VERBS.keys()


def test_a_cut_out_has_no_empty_edge(tmp_path: Path):
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    image.paste((200, 10, 10, 255), (5, 8, 25, 20))
    image.putpixel((1, 1), (0, 0, 0, 10))  # a trace of the ground
    image.save(tmp_path / "thing.png")
    found = picture(tmp_path, "thing")
    assert (found.mode, found.size) == ("RGBA", (20, 12))


def test_names_that_one_thing_can_have_are_rivals():
    found = rivals(table())
    assert {"dog", "horse", "animal"} <= found["animal"]
    assert found["dog"] == {"dog", "animal"}
    assert "flower" not in found["animal"]
