"""What a canvas shows, and the light on it computed again with numpy."""

import base64

import numpy as np
from playwright.sync_api import Page

from tests.browser.caption.lab import SIDE

DEPTH, SHADE = 0.74, (19, 9, 46)  # of the light, as it is described
CLOSE = 4  # of 255: a canvas of 8 bits, scaled once


def pixels(page: Page, selector: str = ".stage-canvas") -> np.ndarray:
    """What a canvas shows, (height, width, 3), once its light has come to rest."""
    page.wait_for_timeout(400)
    found = page.locator(selector).first.evaluate(
        """(canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let text = "";
            for (let k = 0; k < data.length; k += 32768)
                text += String.fromCharCode(...data.subarray(k, k + 32768));
            return [width, height, btoa(text)];
        }"""
    )
    width, height, data = found
    raw = np.frombuffer(base64.b64decode(data), np.uint8)
    return raw.reshape(height, width, 4)[:, :, :3].astype(float)


def lit(level: float, share: np.ndarray) -> np.ndarray:
    """The colour of a gray picture where a weight is this share of the largest, (..., 3)."""
    shade = DEPTH * (1 - np.asarray(share))[..., None]
    return level * (1 - shade) + np.array(SHADE) * shade


def through(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Catmull and Rom's spline through values at 0.5, 1.5, ...; the ends go on as they are."""
    at = places - 0.5
    left = np.floor(at).astype(int)
    t = at - left
    basis = [
        -0.5 * t**3 + t**2 - 0.5 * t,
        1.5 * t**3 - 2.5 * t**2 + 1,
        -1.5 * t**3 + 2 * t**2 + 0.5 * t,
        0.5 * t**3 - 0.5 * t**2,
    ]
    taken = [values[np.clip(left + k - 1, 0, len(values) - 1)] for k in range(4)]
    return sum(w * v.T for w, v in zip(basis, taken, strict=True)).T


def middles(size: int) -> np.ndarray:
    """The pixels in the middle of the cells along a side of `size`."""
    return ((np.arange(SIDE) + 0.5) * size / SIDE).astype(int)
