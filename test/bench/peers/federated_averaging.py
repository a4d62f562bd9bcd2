"""Federated averaging of mnist-2nn as a plain NumPy loop: no network, no storage, one thread; ../simulation.ts runs it.

The rounds are those of `pnpm simulate --clients 100 --fraction 0.1 --learning-rate 0.2`: each of ten clients takes one epoch
of batches of ten over its 600 digits, and the mean of their weights is measured on the 10,000 test digits.
"""

import ctypes
import json
import sys
import time

import numpy as np

try:
    # Large arrays come from memory that is there already, not from new pages for every temporary: NumPy at its best.
    libc = ctypes.CDLL(None)
    libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
    libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
except (OSError, AttributeError):
    pass  # Another C library.

SIZES = (784, 200, 200, 10)
BATCH = 10


def load(folder):
    """Pixels in [0, 1] as float32 [n, 784] and digits as int64 [n], of the training and of the test data."""

    def part(name):
        x = np.fromfile(f"{folder}/{name}-features.f32", np.float32).reshape(-1, SIZES[0])
        return x, np.fromfile(f"{folder}/{name}-labels.f32", np.float32).astype(np.int64)

    return (*part("train"), *part("test"))


def initial(seed):
    """Glorot-uniform kernels and zero biases, as the other side begins with."""
    rng = np.random.default_rng(seed)
    weights = []
    for fan_in, fan_out in zip(SIZES, SIZES[1:]):
        limit = np.sqrt(6 / (fan_in + fan_out))
        weights.append(rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32))
        weights.append(np.zeros(fan_out, np.float32))
    return weights


def forward(weights, x):
    w1, b1, w2, b2, w3, b3 = weights
    h1 = np.maximum(x @ w1 + b1, 0)
    h2 = np.maximum(h1 @ w2 + b2, 0)
    return h1, h2, h2 @ w3 + b3


def train(weights, x, y, rate, rng):
    """One epoch of SGD from a copy of `weights`. Returns the weights it comes to."""
    weights = [w.copy() for w in weights]
    w1, b1, w2, b2, w3, b3 = weights
    buffers = [np.empty_like(w) for w in weights[::2]]
    rate = np.float32(rate)
    order = rng.permutation(len(x))
    for begin in range(0, len(x), BATCH):
        batch = order[begin : begin + BATCH]
        xs, ys = x[batch], y[batch]
        h1, h2, z = forward(weights, xs)
        z -= z.max(axis=1, keepdims=True)
        d3 = np.exp(z)
        d3 /= d3.sum(axis=1, keepdims=True)
        d3[np.arange(len(ys)), ys] -= 1
        d3 /= np.float32(len(ys))
        d2 = (d3 @ w3.T) * (h2 > 0)
        d1 = (d2 @ w2.T) * (h1 > 0)
        for w, b, buffer, inputs, d in zip(weights[::2], weights[1::2], buffers, (xs, h1, h2), (d1, d2, d3)):
            np.matmul(inputs.T, d, out=buffer)
            np.multiply(buffer, rate, out=buffer)
            np.subtract(w, buffer, out=w)
            b -= rate * d.sum(axis=0)
    return weights


def accuracy(weights, x, y):
    return float((forward(weights, x)[2].argmax(axis=1) == y).mean())


def shares(n, clients, seed):
    """Equal shares of shuffled examples: an IID partition."""
    return np.array_split(np.random.default_rng(seed).permutation(n), clients)


def run(folder, clients, cohort, rate, target, most_rounds, seed):
    x, y, x_test, y_test = load(folder)
    # Each client has its own data at hand, as there.
    own = [(x[rows], y[rows]) for rows in shares(len(x), clients, seed)]
    began = time.perf_counter()
    rng = np.random.default_rng(seed)
    weights = initial(seed)
    rounds, reached = 0, 0.0
    while rounds < most_rounds and reached < target:
        rounds += 1
        total = [np.zeros_like(w) for w in weights]
        examples = 0
        for client in rng.choice(clients, cohort, replace=False):
            xs, ys = own[client]
            for mean, w in zip(total, train(weights, xs, ys, rate, rng)):
                mean += np.float32(len(xs)) * w
            examples += len(xs)
        weights = [w / np.float32(examples) for w in total]
        reached = accuracy(weights, x_test, y_test)
    return {"rounds": rounds, "accuracy": reached, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    folder, clients, cohort, rate, target, most_rounds, seed = sys.argv[1:8]
    result = run(folder, int(clients), int(cohort), float(rate), float(target), int(most_rounds), int(seed))
    print(json.dumps({**result, "numpy": np.__version__}), flush=True)
