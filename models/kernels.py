"""Compiled loops of the recurrent cells, for the CPU, in float32.

One thing makes them fast: at batch 1 a step is a matrix times a vector, so all that counts is
how quickly the weights stream from the cache, and that they are read once. Weights are packed
(`pack`) into panels of 64 outputs, (panels, K, 64), each read front to back with its 64 sums in
vector registers; weights that are float16 numbers rest as float16, which halves the bytes and
loses nothing. A whole sequence reads the panels forwards and backwards in turn, so that what
the cache still holds of the last step is used before it is evicted.

One thing makes them reproducible: every output is one chain of fused multiply-adds in the order
of k, whichever rows share the loaded weights. No batch size and no neighbour changes a bit.

numba compiles them in some seconds, once; the result is kept on disk. `warm_up` does it, and
nothing may call a kernel before `ready()`. Without numba, `ready()` stays False.
"""

import threading

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

LANES = 64  # outputs of a panel
VECTOR = 16  # floats of a vector: one register of AVX-512, two of AVX2
ROWS = 6  # most batch rows that share a loaded block of weights
TANH_LIMIT = 9.0  # beyond it tanh is 1 to float32

# tanh(x) = x P(x^2) / Q(x^2) on [-9, 9]: relative minimax fit (iteratively reweighted least
# squares on Chebyshev nodes), error 2.1e-8 exactly and 4e-7 in float32.
P0, P1, P2, P3, P4 = (
    0.999999979448646, 0.1338102497842076, 0.0034955873801415585, 2.0609071234009226e-05,
    1.3354648025183287e-08,
)  # fmt: skip
Q1, Q2, Q3, Q4 = (
    0.4671434056899222, 0.02587697926276284, 0.0003285633651916468, 7.776552407214265e-07,
)  # fmt: skip


def pack(weight: np.ndarray) -> tuple[np.ndarray, int, int]:
    """(N, K) float32 -> (flat panels, N padded to panels, K).

    The panels are uint16, the bits of float16, where every weight is a float16 number and the
    processor converts them by itself; else float32.
    """
    N, K = weight.shape
    panels = -(-N // LANES)
    packed = np.zeros((panels * LANES, K), np.float32)
    packed[:N] = weight
    packed = np.ascontiguousarray(packed.reshape(panels, LANES, K).transpose(0, 2, 1))
    with np.errstate(over="ignore"):
        half = packed.astype(np.float16)
    if _converts_half() and np.array_equal(half.astype(np.float32), packed):
        return half.view(np.uint16).reshape(-1), panels * LANES, K
    return packed.reshape(-1), panels * LANES, K


def _features() -> dict:
    return llvm.get_host_cpu_features() if numba else {}


def _converts_half() -> bool:
    return bool(_features().get("f16c"))


if numba:
    # With 16 registers of 8 floats (AVX2) a tile of 6 rows must be narrower to stay in them.
    TILE_VECTORS = LANES // VECTOR if _features().get("avx512f") else 1

    def _tile(rows: int, vectors: int, streams: int = 1, ahead: int = 0):
        """An intrinsic: out[r, n] += sum over k of x[r, k] * w[k, n], for `rows` rows of x and
        `vectors` vectors of a panel, all sums in registers."""

        @intrinsic
        def tile(typing, w, w_at, x, x_at, x_stride, out, out_at, out_stride, K):
            floats, index = types.float32[::1], types.intp
            signature = types.void(w, index, floats, index, index, floats, index, index, index)

            def generate(context, builder, signature, arguments):
                w, w_at, x, x_at, x_stride, out, out_at, out_stride, K = arguments
                single, vector = ir.FloatType(), ir.VectorType(ir.FloatType(), VECTOR)
                is_half = signature.args[0].dtype == types.uint16
                stored = ir.IntType(16) if is_half else single

                def data(k):
                    value = context.make_array(signature.args[k])(context, builder, arguments[k])
                    return value.data

                w_data, x_data, out_data = data(0), data(2), data(5)

                def read(pointer, element, kind, align):
                    address = builder.bitcast(pointer, kind.as_pointer())
                    value = builder.load(address)
                    value.align = align
                    return value

                fma = cgutils.get_or_insert_function(
                    builder.module,
                    ir.FunctionType(vector, [vector] * 3),
                    f"llvm.fmuladd.v{VECTOR}f32",
                )
                constant = lambda n: ir.Constant(ir.IntType(64), n)
                places, sums = [], []
                for r in range(rows):
                    row = builder.add(out_at, builder.mul(out_stride, constant(r)))
                    for v in range(vectors * streams):
                        place = builder.gep(out_data, [builder.add(row, constant(v * VECTOR))])
                        sums.append(cgutils.alloca_once(builder, vector))
                        places.append(builder.bitcast(place, vector.as_pointer()))
                        builder.store(read(place, single, vector, 4), sums[-1])
                with cgutils.for_range(builder, K) as loop:
                    k = loop.index
                    line = builder.add(w_at, builder.mul(k, constant(LANES)))
                    weights = []
                    for v in range(vectors * streams):
                        at = builder.add(line, constant(v % vectors * VECTOR))
                        at = builder.add(at, builder.mul(K, constant(v // vectors * LANES)))
                        place = builder.gep(w_data, [at])
                        if ahead:
                            pf = cgutils.get_or_insert_function(
                                builder.module,
                                ir.FunctionType(
                                    ir.VoidType(), [ir.PointerType(), *[ir.IntType(32)] * 3]
                                ),
                                "llvm.prefetch.p0",
                            )
                            i32 = lambda n: ir.Constant(ir.IntType(32), n)
                            q = builder.gep(w_data, [builder.add(at, constant(ahead))])
                            builder.call(
                                pf, [builder.bitcast(q, ir.PointerType()), i32(0), i32(LOC), i32(1)]
                            )
                        if is_half:
                            kind = ir.VectorType(ir.HalfType(), VECTOR)
                            value = builder.fpext(read(place, stored, kind, 2), vector)
                        else:
                            value = read(place, stored, vector, 4)
                        weights.append(value)
                    for r in range(rows):
                        at = builder.add(builder.add(x_at, builder.mul(x_stride, constant(r))), k)
                        value = builder.load(builder.gep(x_data, [at]))
                        first = builder.insert_element(
                            ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
                        )
                        mask = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
                        spread = builder.shuffle_vector(first, first, mask)
                        for v in range(vectors * streams):
                            s = sums[r * vectors * streams + v]
                            builder.store(
                                builder.call(fma, [weights[v], spread, builder.load(s)]), s
                            )
                for place, s in zip(places, sums, strict=True):
                    builder.store(builder.load(s), place, align=4)
                return context.get_dummy_value()

            return signature, generate

        return tile

    import os

    ST = int(os.environ.get("ST", "1"))
    LOC = int(os.environ.get("LOC", "2"))
    _row = _tile(1, LANES // VECTOR, ST, int(os.environ.get("AHEAD", "0")))
    _rows = _tile(ROWS, TILE_VECTORS)

    @numba.njit
    def multiply(w, N, K, x, x_stride, out, out_stride, B, backwards):
        panels = N // LANES
        if B == 1:
            for p in range(panels // ST):
                n = (panels // ST - 1 - p if backwards else p) * LANES * ST
                _row(w, n * K, x, 0, x_stride, out, n, out_stride, K)
            return
        for p in range(panels):
            n = (panels - 1 - p if backwards else p) * LANES
            b = 0
            while b + ROWS <= B:
                for v in range(0, LANES, TILE_VECTORS * VECTOR):
                    _rows(
                        w,
                        n * K + v,
                        x,
                        b * x_stride,
                        x_stride,
                        out,
                        b * out_stride + n + v,
                        out_stride,
                        K,
                    )
                b += ROWS
            while b < B:
                _row(w, n * K, x, b * x_stride, x_stride, out, b * out_stride + n, out_stride, K)
                b += 1
