"""Corner pooling against torch: `python benchmarks/corner_pooling.py [--rounds N] [--skip-large]`.

All sides run on 2 threads in one process, in turn. The peers are `torch.cummax` on NCHW between two flips,
as in mmcv's corner pooling; the authors' loop over rows (`_cpools` of princeton-vl/CornerNet) restated in
torch on channels-last memory; and a copy of the tensor, once into memory that is kept from call to call
(the lower bound) and once into newly allocated memory, as every operation allocates its result. Prints each
time and compares each ratio (the median over the rounds) with its target.

A result of 134 MB is newly allocated in every call. Where the kernel gives it out in pages of 4 KB
(transparent huge pages set to "madvise" or "never"), allocating these pages takes longer than the pooling,
on every side but the copy into kept memory. `GLIBC_TUNABLES=glibc.malloc.hugetlb=1` before the command
avoids most of it.
"""

import argparse

import numpy as np
from tensorflow_side import tf
from timing import VERDICT_HEAD, interleave, ratio, table, verdict
from torch_side import torch

from keras_cornernet.layers.corner_pooling import LeftPool, TopPool

OURS, XLA = "TopPool / LeftPool, tf.function", "TopPool / LeftPool, XLA"
CUMMAX, LOOP = "torch.cummax, NCHW, flips", "authors' row loop, torch channels-last"
COPY, FRESH = "copy into kept memory", "copy into new memory"
# For each axis: its name, the layer, and the largest ratios to torch.cummax, forward and with gradient.
SIDES = {1: ("H", TopPool, 0.08, 0.2), 2: ("W", LeftPool, 0.20, 0.65)}


def cummax_pool(x, axis):
    """The reversed running maximum of an NCHW tensor as mmcv's CornerPool computes it."""
    return torch.cummax(x.flip(axis), axis).values.flip(axis)


def loop_pool(x, axis):
    """The authors' forward loop: each row's output is its maximum with the output of the row before."""
    pooled, last = torch.zeros_like(x), x.size(axis) - 1
    pooled.select(axis, last).copy_(x.select(axis, last))
    for i in range(last - 1, -1, -1):
        torch.maximum(x.select(axis, i), pooled.select(axis, i + 1), out=pooled.select(axis, i))
    return pooled


def loop_gradient(x, upstream, axis):
    """The authors' backward loop: the index of the maximum moves when a value is strictly greater."""
    gradient, last = torch.zeros_like(x), x.size(axis) - 1
    best = x.select(axis, last).clone()
    record = torch.full_like(best, last, dtype=torch.long)
    for i in range(last, -1, -1):
        row = x.select(axis, i)
        greater = row > best
        best = torch.where(greater, row, best)
        record.masked_fill_(greater, i)
        gradient.scatter_add_(axis, record.unsqueeze(axis), upstream.select(axis, i).unsqueeze(axis))
    return gradient


def without_gradient(run):
    def call():
        with torch.inference_mode():
            return run()

    return call


def forward(axis, shape, rounds):
    """Times the forward pass of all sides, which must agree."""
    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    ours, pool = tf.constant(x), tf.function(SIDES[axis][1]())
    nchw = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    last = nchw.contiguous(memory_format=torch.channels_last)
    target = torch.empty_like(last)
    candidates = {
        OURS: lambda: pool(ours),
        CUMMAX: without_gradient(lambda: cummax_pool(nchw, axis + 1)),
        LOOP: without_gradient(lambda: loop_pool(last, axis + 1)),
        COPY: without_gradient(lambda: target.copy_(last)),
        FRESH: without_gradient(lambda: last.clone()),
    }
    expected = pool(ours).numpy()
    for name in (CUMMAX, LOOP):
        np.testing.assert_array_equal(candidates[name]().permute(0, 2, 3, 1).numpy(), expected)
    return interleave(candidates, rounds)


def with_gradient(axis, shape, rounds):
    """Times forward and backward pass together, our side in plain TensorFlow and under XLA."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal(shape, dtype=np.float32)
    upstream = generator.standard_normal(shape, dtype=np.float32)
    pool, inputs = SIDES[axis][1](), (tf.constant(x), tf.constant(upstream))
    nchw = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    arriving = torch.from_numpy(upstream).permute(0, 3, 1, 2).contiguous()
    last, arriving_last = (t.contiguous(memory_format=torch.channels_last) for t in (nchw, arriving))

    def step(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            pooled = pool(x)
        return pooled, tape.gradient(pooled, x, upstream)

    def cummax_step():
        leaf = nchw.detach().requires_grad_(True)
        pooled = cummax_pool(leaf, axis + 1)
        pooled.backward(arriving)
        return pooled, leaf.grad

    def loop_step():
        return loop_pool(last, axis + 1), loop_gradient(last, arriving_last, axis + 1)

    plain, compiled = tf.function(step), tf.function(step, jit_compile=True)
    candidates = {
        OURS: lambda: plain(*inputs),
        XLA: lambda: compiled(*inputs),
        CUMMAX: cummax_step,
        LOOP: without_gradient(loop_step),
    }
    expected = plain(*inputs)[1].numpy()
    np.testing.assert_allclose(compiled(*inputs)[1].numpy(), expected, atol=1e-4)
    for name in (CUMMAX, LOOP):
        np.testing.assert_allclose(candidates[name]()[1].permute(0, 2, 3, 1).numpy(), expected, atol=1e-4)
    return interleave(candidates, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--skip-large", action="store_true", help="skip the tensor of batch 8")
    options = parser.parse_args()

    small, large, verdicts = (1, 128, 128, 128), (8, 128, 128, 256), []
    for axis, (name, _, forward_target, gradient_target) in SIDES.items():
        results = forward(axis, small, options.rounds)
        print(table(results, f"forward, {name}, {small}, float32"), "\n", flush=True)
        verdicts.append(verdict(ratio(results, OURS, CUMMAX), forward_target, f"{name} forward / cummax"))
        verdicts.append(verdict(ratio(results, OURS, LOOP), 1.25, f"{name} forward / row loop"))

        results = with_gradient(axis, small, options.rounds)
        print(table(results, f"forward and gradient, {name}, {small}, float32"), "\n", flush=True)
        verdicts.append(verdict(ratio(results, OURS, CUMMAX), gradient_target, f"{name} gradient / cummax"))
        verdicts.append(verdict(ratio(results, OURS, LOOP), 1.25, f"{name} gradient / row loop"))
        verdicts.append(verdict(ratio(results, XLA, OURS), 2.0, f"{name} gradient, XLA / plain"))

        if not options.skip_large:
            results = forward(axis, large, max(3, options.rounds // 2))
            print(table(results, f"forward, {name}, {large}, float32"), "\n", flush=True)
            for copy in (COPY, FRESH):
                verdicts.append(verdict(ratio(results, OURS, copy), 4.0, f"{name} forward, batch 8 / {copy}"))
            verdicts.append(verdict(ratio(results, OURS, LOOP), 1.25, f"{name} forward, batch 8 / row loop"))
    print(VERDICT_HEAD, *verdicts, sep="\n")


if __name__ == "__main__":
    main()
