"""One SGD step of mnist-2nn and mnist-cnn in NumPy, to hold the planned trainer against; ../training-step.ts runs it."""

import ctypes

import numpy as np

try:
    # Large arrays come from memory that is there already, not from new pages for every temporary: NumPy at its best.
    libc = ctypes.CDLL(None)
    libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
    libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
except (OSError, AttributeError):
    pass  # Another C library.

rng = np.random.default_rng(1)


def f32(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


def glorot(*shape):
    fan_in = int(np.prod(shape[:-1]))
    return f32(*shape) * np.float32(np.sqrt(2.0 / (fan_in + shape[-1])))


def softmax_gradient(z, y):
    """(softmax(z) - onehot(y)) / n and the mean cross-entropy."""
    n = len(y)
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), y]).mean()
    p[np.arange(n), y] -= 1
    p /= np.float32(n)
    return p, loss


def descend(w, b, gradient, x, d, rate):
    """w -= rate * x.T @ d in a buffer that is there already: new pages would cost more than the product."""
    np.matmul(x.T, d, out=gradient)
    np.multiply(gradient, rate, out=gradient)
    np.subtract(w, gradient, out=w)
    b -= rate * d.sum(axis=0)


def dense_net(rate):
    w1, b1 = glorot(784, 200), np.zeros(200, np.float32)
    w2, b2 = glorot(200, 200), np.zeros(200, np.float32)
    w3, b3 = glorot(200, 10), np.zeros(10, np.float32)
    g1, g2, g3 = np.empty_like(w1), np.empty_like(w2), np.empty_like(w3)

    def step(x, y):
        h1 = np.maximum(x @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        d3, loss = softmax_gradient(h2 @ w3 + b3, y)
        d2 = (d3 @ w3.T) * (h2 > 0)
        d1 = (d2 @ w2.T) * (h1 > 0)
        for w, b, g, x_in, d in ((w3, b3, g3, h2, d3), (w2, b2, g2, h1, d2), (w1, b1, g1, x, d1)):
            descend(w, b, g, x_in, d, rate)
        return loss

    return step


def im2col(x, k):
    """[n, h, w, c], 'same', stride 1 -> [n*h*w, k*k*c]."""
    n, h, w, c = x.shape
    pad = k // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * h * w, k * k * c)


def col2im(columns, shape, k):
    n, h, w, c = shape
    pad = k // 2
    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), np.float32)
    columns = columns.reshape(n, h, w, k, k, c)
    for i in range(k):
        for j in range(k):
            padded[:, i : i + h, j : j + w] += columns[:, :, :, i, j]
    return padded[:, pad : pad + h, pad : pad + w]


def pool(x):
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // 2, 2, w // 2, 2, c)
    out = blocks.max(axis=(2, 4))
    return out, blocks == out[:, :, None, :, None]


def unpool(d, mask):
    n, h, _, w, _, c = mask.shape
    return (mask * d[:, :, None, :, None]).reshape(n, h * 2, w * 2, c)


def conv_net(rate):
    k1, c1 = glorot(25, 32), np.zeros(32, np.float32)
    k2, c2 = glorot(800, 64), np.zeros(64, np.float32)
    w3, b3 = glorot(3136, 512), np.zeros(512, np.float32)
    w4, b4 = glorot(512, 10), np.zeros(10, np.float32)
    g1, g2, g3, g4 = np.empty_like(k1), np.empty_like(k2), np.empty_like(w3), np.empty_like(w4)

    def step(x, y):
        n = len(y)
        x1 = im2col(x.reshape(n, 28, 28, 1), 5)
        a1 = np.maximum(x1 @ k1 + c1, 0)
        p1, m1 = pool(a1.reshape(n, 28, 28, 32))
        x2 = im2col(p1, 5)
        a2 = np.maximum(x2 @ k2 + c2, 0)
        p2, m2 = pool(a2.reshape(n, 14, 14, 64))
        flat = p2.reshape(n, 3136)
        h = np.maximum(flat @ w3 + b3, 0)
        d4, loss = softmax_gradient(h @ w4 + b4, y)
        d3 = (d4 @ w4.T) * (h > 0)
        d2 = unpool((d3 @ w3.T).reshape(p2.shape), m2).reshape(-1, 64) * (a2 > 0)
        d1 = unpool(col2im(d2 @ k2.T, p1.shape, 5), m1).reshape(-1, 32) * (a1 > 0)
        descend(w4, b4, g4, h, d4, rate)
        descend(w3, b3, g3, flat, d3, rate)
        descend(k2, c2, g2, x2, d2, rate)
        descend(k1, c1, g1, x1, d1, rate)
        return loss

    return step


def worker(task, batch, steps):
    """A function that takes so many steps on one made-up batch."""
    step = {"mnist-2nn": dense_net, "mnist-cnn": conv_net}[task](np.float32(0.01))
    x = rng.random((batch, 784), dtype=np.float32)
    y = rng.integers(0, 10, batch)

    def work():
        for _ in range(steps):
            step(x, y)

    return work
