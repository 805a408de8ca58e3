"""Pictures with an encoder that tells how often and where it ran; once with the real one."""

import asyncio
import hashlib
import sys
import threading
from threading import Event

import pytest
import torch
from PIL import Image

from backend.engine import EngineError, Full, Pictures, TooMany
from backend.engine import pictures as module
from models import efficientnet, vision
from models.vision import PictureError
from tests.backend.serving import wait
from tests.hostile_pictures import plain, stored

ONE = 49 * (1280 + 448) * 4  # bytes of the grids of a picture


class Encoder:
    """Grids of the mean colour. `gate`, when clear, holds it until it is set."""

    def __init__(self):
        self.threads: list[str] = []
        self.gate = Event()
        self.gate.set()

    def both_cells(self, x):
        self.threads.append(threading.current_thread().name)
        assert self.gate.wait(20)
        return x.mean() + torch.zeros(1, 49, 1280), x.mean() + torch.zeros(1, 49, 448)


@pytest.fixture
def encoder(monkeypatch) -> Encoder:
    encoder = Encoder()
    monkeypatch.setattr(module, "encoder", lambda: encoder)
    return encoder


def memory(max_bytes=100 * ONE, max_upload_bytes=1000, max_waiting=8, max_per_client=4) -> Pictures:
    return Pictures(max_bytes, max_upload_bytes, max_waiting, max_per_client)


def picture(shade: int) -> bytes:
    return stored(Image.new("L", (30, 20), shade))


def look(pictures: Pictures, *raws: bytes):
    """Look at pictures one after another."""

    async def all_of_them():
        return [await pictures.look(raw) for raw in raws]

    found = asyncio.run(all_of_them())
    return found[0] if len(raws) == 1 else found


# -- what is remembered ------------------------------------------------------------------------


def test_a_picture_becomes_what_the_encoder_makes_of_its_pixels():
    raw = stored(plain(300, 200), "JPEG")
    seen = look(memory(), raw)
    assert (seen.key, seen.width, seen.height) == (hashlib.sha256(raw).hexdigest(), 300, 200)
    with torch.no_grad():
        pixels = vision.to_tensor(vision.read(raw).image)[None]
        network = efficientnet.load()
        # Not to the bit: another thread may cut its products into other pieces. Of numbers up to
        # about 6, made by fifty layers of float32 sums.
        close = {"rtol": 1e-3, "atol": 1e-4}
        torch.testing.assert_close(seen.cells, network.cells(pixels), **close)
        torch.testing.assert_close(seen.fine, network.fine_cells(pixels), **close)


def test_the_encoder_is_read_once_for_all():
    assert module.encoder() is module.encoder()


def test_a_picture_that_was_seen_is_remembered_and_not_encoded_again(encoder):
    pictures = memory()
    first, again = look(pictures, picture(9), picture(9))
    assert again is first
    assert pictures.recall(first.key) is first
    assert pictures.recall("0" * 64) is None
    assert len(encoder.threads) == 1


def test_the_picture_itself_is_not_kept(encoder):
    pictures, raw = memory(), picture(9)
    count = lambda: sys.getrefcount(raw)
    before = count()
    seen = look(pictures, raw)
    wait(lambda: count() == before)  # the thread lets it go a moment after it has answered
    assert vars(seen).keys() == {"key", "width", "height", "cells", "fine"}


def test_those_that_were_used_last_are_remembered_within_the_bytes(encoder):
    pictures = memory(max_bytes=3 * ONE)
    a, b, c = look(pictures, *(picture(k) for k in range(3)))
    assert pictures.held == 3 * a.bytes == 3 * ONE
    assert pictures.recall(a.key) is a  # used: b is the oldest now
    d = look(pictures, picture(3))
    assert pictures.recall(b.key) is None
    assert all(pictures.recall(one.key) is one for one in (a, c, d))
    assert pictures.held == 3 * ONE


def test_the_last_one_is_remembered_however_few_the_bytes(encoder):
    pictures = memory(max_bytes=0)
    for shade in range(3):
        seen = look(pictures, picture(shade))
        assert pictures.recall(seen.key) is seen
        assert pictures.held == ONE


@pytest.mark.parametrize("raw", [b"", b"<svg/>", picture(1)[:-20]])
def test_what_is_no_picture_is_refused_and_leaves_nothing_behind(encoder, raw):
    pictures = memory()
    with pytest.raises(PictureError):
        look(pictures, raw)
    assert (pictures.held, pictures.waiting, encoder.threads) == (0, 0, [])
    assert look(pictures, picture(1)).width == 30


def test_without_the_encoder_the_reason_is_told(monkeypatch):
    def missing():
        raise RuntimeError("the package is not installed")

    monkeypatch.setattr(module, "encoder", missing)
    with pytest.raises(EngineError, match="the package is not installed") as refused:
        look(memory(), picture(1))
    assert refused.value.code == "no_encoder"


# -- where it runs -----------------------------------------------------------------------------


def test_pictures_are_looked_at_one_by_one_on_a_thread_of_their_own(encoder):
    pictures = memory()

    async def several():
        encoder.gate.clear()
        looks = [asyncio.ensure_future(pictures.look(picture(k))) for k in range(4)]
        while not encoder.threads:
            await asyncio.sleep(0.001)  # the loop goes on
        for _ in range(20):
            await asyncio.sleep(0.001)
        begun = len(encoder.threads), pictures.waiting
        encoder.gate.set()
        await asyncio.gather(*looks)
        return begun

    assert asyncio.run(several()) == (1, 4)
    assert len(set(encoder.threads)) == 1
    assert encoder.threads[0].startswith("pictures")
    assert pictures.waiting == 0


def test_a_picture_that_two_send_at_once_is_encoded_once(encoder):
    pictures = memory()

    async def both():
        return await asyncio.gather(*(pictures.look(picture(5)) for _ in range(2)))

    one, other = asyncio.run(both())
    assert one is other
    assert len(encoder.threads) == 1


def test_no_more_wait_than_may(encoder):
    pictures = memory(max_waiting=2)

    async def many():
        encoder.gate.clear()
        looks = [asyncio.ensure_future(pictures.look(picture(k))) for k in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Full) as refused:
            await pictures.look(picture(9))
        encoder.gate.set()
        await asyncio.gather(*looks)
        assert refused.value.retry_after > 0
        return await pictures.look(picture(9))

    assert asyncio.run(many()).width == 30


def test_those_that_wait_are_told_when_the_server_stops(encoder):
    pictures = memory()

    async def stop_while_they_wait():
        encoder.gate.clear()
        looks = [asyncio.ensure_future(pictures.look(picture(k))) for k in range(3)]
        while not encoder.threads:
            await asyncio.sleep(0.001)
        pictures.stop()
        encoder.gate.set()
        ends = await asyncio.gather(*looks, return_exceptions=True)
        with pytest.raises(EngineError, match="stopping"):
            await pictures.look(picture(9))
        return ends

    first, *others = asyncio.run(stop_while_they_wait())
    assert first.width == 30  # it had begun
    assert [error.code for error in others] == ["shutting_down"] * 2


# -- uploads -----------------------------------------------------------------------------------


def test_uploads_share_a_budget_and_give_it_back_however_they_end():
    pictures = memory(max_upload_bytes=100)
    with pictures.upload("a") as one, pictures.upload("b") as other:
        one.add(60)
        other.add(40)
        with pytest.raises(Full):
            other.add(1)
        assert (pictures.uploading, other.size) == (100, 40)
    with pytest.raises(Full), pictures.upload("a") as one:
        one.add(101)
    assert pictures.uploading == 0
    assert not pictures.clients


def test_one_client_may_have_so_many_under_way_and_others_do_not_wait_for_it():
    pictures = memory(max_per_client=1)
    with pictures.upload("a"):
        with pytest.raises(TooMany), pictures.upload("a"):
            pass
        with pictures.upload("b") as other:
            other.add(5)
    with pictures.upload("a"):
        pass
    assert not pictures.clients
