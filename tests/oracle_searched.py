"""MUT1, MUT2 and MUT3 as their paper writes them, a step at a time, in plain NumPy float64.

Jozefowicz, Zaremba, Sutskever 2015, section 3.3. Nothing here shares a line with
`models.searched_cells`. The paper's z is the share of the candidate; a checkpoint's rows make the
share that is kept, and 1 - sigma(s) = sigma(-s): so the paper's W_xz, W_hz and b_z are those rows
with their sign turned, and what a point z has to be is 1 minus the paper's.
"""

import numpy as np


def sigma(s):
    return 1 / (1 + np.exp(-s))


def named(cell, own):
    """The paper's matrices from the rows of a checkpoint, r, z, n in turn where there are some."""
    H = own["weight_hh"].shape[1]
    found = {}
    for name, side in (("weight_ih", "x"), ("weight_hh", "h")):
        rows = {"mut1": {"x": "rz", "h": "rn"}, "mut2": {"x": "zn", "h": "rzn"}}.get(
            cell, {"x": "rzn", "h": "rzn"}
        )[side]
        assert own[name].shape[0] == H * len(rows)
        for k, letter in enumerate(rows):
            found[f"W_{side}{letter}"] = own[name][k * H : (k + 1) * H]
    b_r, b_z, b_n = own["bias_ih"].reshape(3, H)
    found |= {"b_r": b_r, "b_z": b_z, "b_n": b_n}
    return {name: -value if name.endswith("z") else value for name, value in found.items()}


def steps(cell, own, x, h=None):
    """x (T, input) and the layer's parameters by name -> h, r, z, n, (T, H) each."""
    own = {name: np.asarray(value, np.float64) for name, value in own.items()}
    w, x = named(cell, own), np.asarray(x, np.float64)
    h = np.zeros(own["weight_hh"].shape[1]) if h is None else np.asarray(h, np.float64)
    rows = {"h": [], "r": [], "z": [], "n": []}
    for x_t in x:
        if cell == "mut1":
            z = sigma(w["W_xz"] @ x_t + w["b_z"])
            r = sigma(w["W_xr"] @ x_t + w["W_hr"] @ h + w["b_r"])
            n = np.tanh(w["W_hn"] @ (r * h) + np.tanh(x_t) + w["b_n"])
        elif cell == "mut2":
            z = sigma(w["W_xz"] @ x_t + w["W_hz"] @ h + w["b_z"])
            r = sigma(x_t + w["W_hr"] @ h + w["b_r"])
            n = np.tanh(w["W_hn"] @ (r * h) + w["W_xn"] @ x_t + w["b_n"])
        else:
            z = sigma(w["W_xz"] @ x_t + w["W_hz"] @ np.tanh(h) + w["b_z"])
            r = sigma(w["W_xr"] @ x_t + w["W_hr"] @ h + w["b_r"])
            n = np.tanh(w["W_hn"] @ (r * h) + w["W_xn"] @ x_t + w["b_n"])
        h = n * z + h * (1 - z)
        for letter, value in (("h", h), ("r", r), ("z", 1 - z), ("n", n)):
            rows[letter].append(value)
    return {letter: np.stack(values) for letter, values in rows.items()}
