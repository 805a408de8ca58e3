"""Compiled loops of the recurrent cells, for the CPU, in float32.

One thing makes them fast: at batch 1 a step is a matrix times a vector, and all that counts is
how quickly the weights stream from the cache. They are packed (`pack`) into panels of 128
outputs, each read front to back with its sums in vector registers; weights that are float16
numbers rest as float16, which halves the bytes and loses nothing. A sequence reads the panels
forwards and backwards in turn, so that what the cache still holds of the last step is used
before it is evicted. Gates are written as the recurrence goes, over the input products.

One thing makes them reproducible: every output is one chain of multiply-adds in the order of k,
whichever rows share a loaded weight. No batch size and no neighbour changes a bit.

numba compiles them in some seconds, once, and keeps the result on disk. `warm_up` does it, and
nothing may call a kernel before `ready()`. Without numba `ready()` stays False. (All of it is in
one file because the cache on disk is renewed when the file of a kernel changes, not when
the file of a function that it calls does.)
"""

import threading
from typing import NamedTuple

import numpy as np

try:
    import llvmlite.binding as llvm
    import numba
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic
except ImportError:  # the torch road serves
    numba = None

CELL_CODES = {"rnn_tanh": 0, "rnn_relu": 1, "lstm": 2, "gru": 3}
LANES = 128  # outputs of a panel: eight registers of sums hide the latency of multiply-add
VECTOR = 16  # floats of a vector: one register of AVX-512, two of AVX2
FEATURES = llvm.get_host_cpu_features() if numba else {}
# Lanes of a panel that several rows (at most 6) work on at once: their sums must fit, with the
# weights, into 32 registers of 16 floats (AVX-512), or else 16 of 8.
TILE = (4 if FEATURES.get("avx512f") else 1) * VECTOR


class Packed(NamedTuple):
    """A weight matrix (N, K) as panels (N / LANES, K, LANES) of float32, or the bits of float16."""

    data: np.ndarray  # flat
    N: int  # outputs, padded to whole panels
    K: int


def is_half(weight: np.ndarray) -> bool:
    """Whether every number is a float16 one, and this processor widens those by itself."""
    with np.errstate(over="ignore"):
        return bool(FEATURES.get("f16c")) and np.array_equal(
            weight.astype(np.float16).astype(np.float32), weight
        )


def pack(weight: np.ndarray, half: bool) -> Packed:
    """(N, K) float32 -> the form that `multiply` reads; `half` only where `is_half`."""
    N, K = weight.shape
    panels = -(-N // LANES)
    packed = np.zeros((panels * LANES, K), np.float16 if half else np.float32)
    packed[:N] = weight
    packed = np.ascontiguousarray(packed.reshape(panels, LANES, K).transpose(0, 2, 1)).reshape(-1)
    return Packed(packed.view(np.uint16) if half else packed, panels * LANES, K)


_ready, _compiling = threading.Event(), threading.Lock()


def ready() -> bool:
    """Whether the kernels may be called."""
    return _ready.is_set()


def warm_up() -> bool:
    """Compile every kernel, or read it from the disk, and say whether that could be done.

    Takes seconds the first time: call it at set-up or in a thread of its own.
    """
    from models import sampling  # has a kernel too, and imports this module

    with _compiling:
        if numba and not ready():
            sampling.warm_up()
            three, row = np.zeros((2, 1, 8), np.float32), np.zeros((1, LANES), np.float32)
            flat, slots = row[0, :8], np.zeros(1, np.int64)
            for half in (False, True)[: 1 + bool(FEATURES.get("f16c"))]:
                w = pack(np.zeros((8, 8), np.float32), half)
                sequence(0, w, flat, three[:1], three, three, row)
                step_layer(0, w, w, flat, flat, row, row, three[0], three, slots, 0, row, 0, 0)
                project(w, row[0], row, 0, row)
            look_up(row, slots, slots, 1, row)
            for kernel in (sequence, look_up, step_layer, project):
                kernel.disable_compile()  # arguments of other types are an error, never a wait
            _ready.set()
    return ready()


def compiled(function):
    """`numba.njit` without the interpreter's lock, kept on disk where a folder can be written.

    Without numba the function stays as it is; nothing calls it then.
    """
    if not numba:
        return function
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder for the cache
        return numba.njit(**options)(function)


def _tile(rows: int, lanes: int):
    """An intrinsic that adds to out[r, n] the sum over k of x[r, k] * w[k, n], for `rows` rows
    of x and `lanes` columns of a panel. All sums stay in registers, which is why it is written
    in the compiler's own terms. Arrays are flat; `*_at` is where the tile starts in them."""
    vectors = range(lanes // VECTOR)

    def generate(context, builder, signature, arguments):
        w, w_at, x, x_at, x_stride, out, out_at, out_stride, K = arguments
        single, i64 = ir.FloatType(), ir.IntType(64)
        vector = ir.VectorType(single, VECTOR)
        half = signature.args[0].dtype == types.uint16
        stored = ir.VectorType(ir.HalfType(), VECTOR) if half else vector
        spread = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
        fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(vector, [vector] * 3),
            f"llvm.fmuladd.v{VECTOR}f32",
        )

        def data(number):
            array = context.make_array(signature.args[number])
            return array(context, builder, arguments[number]).data

        def element(pointer, at, v=0):
            return builder.gep(pointer, [builder.add(at, ir.Constant(i64, v * VECTOR))])

        def row(start, stride, r):
            return builder.add(start, builder.mul(stride, ir.Constant(i64, r)))

        w_data, x_data, out_data = data(0), data(2), data(5)
        sums = {}
        for r in range(rows):
            for v in vectors:
                place = element(out_data, row(out_at, out_stride, r), v)
                place = builder.bitcast(place, vector.as_pointer())
                sums[r, v] = (cgutils.alloca_once(builder, vector), place)
                builder.store(builder.load(place, align=4), sums[r, v][0])
        with cgutils.for_range(builder, K) as loop:
            line = builder.add(w_at, builder.mul(loop.index, ir.Constant(i64, LANES)))
            weights = []
            for v in vectors:
                place = builder.bitcast(element(w_data, line, v), stored.as_pointer())
                value = builder.load(place, align=2 if half else 4)
                weights.append(builder.fpext(value, vector) if half else value)
            for r in range(rows):
                value = builder.load(
                    element(x_data, builder.add(row(x_at, x_stride, r), loop.index))
                )
                lane = ir.Constant(vector, ir.Undefined)
                lane = builder.insert_element(lane, value, ir.Constant(ir.IntType(32), 0))
                lane = builder.shuffle_vector(lane, lane, spread)
                for v in vectors:
                    total = sums[r, v][0]
                    builder.store(builder.call(fma, [weights[v], lane, builder.load(total)]), total)
        for total, place in sums.values():
            builder.store(builder.load(total), place, align=4)
        return context.get_dummy_value()

    def tile(typing, w, w_at, x, x_at, x_stride, out, out_at, out_stride, K):
        floats, index = types.float32[::1], types.intp
        return types.void(w, index, floats, index, index, floats, index, index, index), generate

    return intrinsic(tile)


if numba:
    _one_row, _two_rows, _four_rows, _six_rows = (
        _tile(1, LANES), _tile(2, TILE), _tile(4, TILE), _tile(6, TILE)
    )  # fmt: skip

    @compiled
    def multiply(w, x, x_at, x_stride, out, out_stride, B, backwards):
        """out[b, n] += sum over k of x[b, k] * w[k, n]; x starts at x_at of a flat array."""
        panels = w.N // LANES
        for p in range(panels):
            n = (panels - 1 - p if backwards else p) * LANES
            for v in range(n, n + LANES, TILE):
                w_at, b = n * w.K + v - n, 0
                while B - b > 1:
                    at, out_at = x_at + b * x_stride, b * out_stride + v
                    if B - b >= 6:
                        _six_rows(w.data, w_at, x, at, x_stride, out, out_at, out_stride, w.K)
                        b += 6
                    elif B - b >= 4:
                        _four_rows(w.data, w_at, x, at, x_stride, out, out_at, out_stride, w.K)
                        b += 4
                    else:
                        _two_rows(w.data, w_at, x, at, x_stride, out, out_at, out_stride, w.K)
                        b += 2
            if B % 2 == 1:
                at = x_at + (B - 1) * x_stride
                _one_row(w.data, n * w.K, x, at, 0, out, (B - 1) * out_stride + n, 0, w.K)

    @compiled
    def copy(source, target):
        """target[:] = source, which numba would do number by number."""
        for j in range(len(target)):
            target[j] = source[j]

    # tanh(x) = x P(x^2) / Q(x^2) on [-9, 9]: a relative minimax fit (iteratively reweighted
    # least squares on Chebyshev nodes), error 2.1e-8 as it stands and below 4e-7 in float32.
    P = tuple(
        np.float32(value)
        for value in (
            0.999999979448646,
            0.1338102497842076,
            0.0034955873801415585,
            2.0609071234009226e-05,
            1.3354648025183287e-08,
        )
    )
    Q = tuple(
        np.float32(value)
        for value in (
            0.4671434056899222,
            0.02587697926276284,
            0.0003285633651916468,
            7.776552407214265e-07,
        )
    )
    ZERO, ONE, HALF, LIMIT = np.float32(0), np.float32(1), np.float32(0.5), np.float32(9)

    @compiled
    def tanh(x):
        """Hyperbolic tangent of a float32, without a branch; within [-1, 1]; NaN stays."""
        x = LIMIT if x > LIMIT else x
        x = -LIMIT if x < -LIMIT else x
        s = x * x
        top = x * (P[0] + s * (P[1] + s * (P[2] + s * (P[3] + s * P[4]))))
        y = top / (ONE + s * (Q[0] + s * (Q[1] + s * (Q[2] + s * Q[3]))))
        y = ONE if y > ONE else y
        return -ONE if y < -ONE else y

    @compiled
    def sigmoid(x):
        """The logistic function of a float32, within [0, 1]."""
        return HALF + HALF * tanh(HALF * x)

    @compiled
    def advance(cell, H, from_x, from_h, gates, h_before, c_before, h, c):
        """One row through the cell: both products, biases added, -> gates, h and c.

        The gates are made in from_h, so `gates` may be `from_x`; no other two may overlap (the
        loops would fall back from vectors to single numbers, and those may round otherwise).
        """
        if cell == 2:
            # slices, so that every loop counts from 0: only such loops become vectors
            i, f, g, o = from_h[:H], from_h[H : 2 * H], from_h[2 * H : 3 * H], from_h[3 * H :]
            g_x, o_x = from_x[2 * H : 3 * H], from_x[3 * H :]
            for j in range(2 * H):
                from_h[j] = sigmoid(from_x[j] + from_h[j])
            for j in range(H):
                g[j] = tanh(g_x[j] + g[j])
            for j in range(H):
                o[j] = sigmoid(o_x[j] + o[j])
            for j in range(H):
                c[j] = f[j] * c_before[j] + i[j] * g[j]
                h[j] = o[j] * tanh(c[j])
        elif cell == 3:
            for j in range(2 * H):
                from_h[j] = sigmoid(from_x[j] + from_h[j])
            r, z, n, n_x = from_h[:H], from_h[H : 2 * H], from_h[2 * H :], from_x[2 * H :]
            for j in range(H):
                n[j] = tanh(n_x[j] + r[j] * n[j])
                h[j] = (ONE - z[j]) * n[j] + z[j] * h_before[j]
        else:
            for j in range(H):
                from_h[j] = from_x[j] + from_h[j]
            if cell == 0:
                for j in range(H):
                    h[j] = tanh(from_h[j])
            else:
                for j in range(H):
                    h[j] = ZERO if from_h[j] < ZERO else from_h[j]
        copy(from_h, gates)

    @compiled
    def sequence(cell, w_hh, b_hh, gates, h, c, from_h):
        """A whole sequence of one direction, in place.

        gates (T, B, G * H): the input products with b_ih, then the gates. h (T + 1, B, H): its
        first row is where to start. c likewise, or (2, B, H), used in turn, where only the last
        is wanted; it then lies in row T % 2.
        from_h (B, padded G * H): work space.
        """
        T, B, width = gates.shape
        H = h.shape[2]
        flat_h, flat_from_h = h.reshape(-1), from_h.reshape(-1)
        for t in range(T):
            for b in range(B):
                copy(b_hh, from_h[b, :width])
            multiply(w_hh, flat_h, t * B * H, H, flat_from_h, w_hh.N, B, t % 2 == 1)
            for b in range(B):
                row, before, after = gates[t, b], t % len(c), (t + 1) % len(c)
                advance(
                    cell, H, row, from_h[b], row, h[t, b], c[before, b], h[t + 1, b], c[after, b]
                )  # fmt: skip

    @compiled
    def look_up(table, tokens, slots, capacity, from_x):
        """from_x[b] = table[tokens[b]]. Raises IndexError for a token or slot out of range."""
        for b in range(len(tokens)):
            if not (0 <= tokens[b] < len(table) and 0 <= slots[b] < capacity):
                raise IndexError("there is no such token or slot")
            copy(table[tokens[b]], from_x[b])

    @compiled
    def step_layer(
        cell,
        w_ih,
        w_hh,
        b_ih,
        b_hh,
        from_x,
        from_h,
        before,
        state,
        slots,
        row,
        capture,
        first,
        below,
    ):
        """One step of one layer for the rows `slots` of state (capacity, S, H), in place.

        The layer's h is state row `row` (and c the next). capture (B, width): its quantities
        start at `first`, the h of the layer below, that it reads, at `below`; below < 0 says
        that from_x holds the input products already. from_x and from_h (B, padded G * H) and
        before (B, H) are work space.
        """
        B, H = len(slots), state.shape[2]
        G = 4 if cell == 2 else 3 if cell == 3 else 1
        for b in range(B):
            copy(state[slots[b], row], before[b])
            copy(b_hh, from_h[b, : G * H])
        if below >= 0:
            for b in range(B):
                copy(b_ih, from_x[b, : G * H])
            x, width = capture.reshape(-1), capture.shape[1]
            multiply(w_ih, x, below, width, from_x.reshape(-1), w_ih.N, B, False)
        multiply(w_hh, before.reshape(-1), 0, H, from_h.reshape(-1), w_hh.N, B, False)
        for b in range(B):
            found, kept = capture[b, first:], state[slots[b]]
            h, c, start = found[:H], found[H : 2 * H], 2 * H if cell == 2 else H
            gates = found[start : start + G * H]
            c_before = kept[row + 1] if cell == 2 else before[b]
            advance(cell, H, from_x[b], from_h[b], gates, before[b], c_before, h, c)
            copy(h, kept[row])
            if cell == 2:
                copy(c, kept[row + 1])

    @compiled
    def project(w, bias, x, x_at, out):
        """out (B, N) = bias (N) + x (B, width)[:, x_at : x_at + K] times w (N, K)."""
        for b in range(len(x)):
            copy(bias, out[b])
        multiply(w, x.reshape(-1), x_at, x.shape[1], out.reshape(-1), w.N, len(x), False)
