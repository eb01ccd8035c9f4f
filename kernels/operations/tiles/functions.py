"""The functions of one number that the tiled loops need, exact to float32's last digits where numbers are close."""

import triton
import triton.language as tl


@triton.jit
def less_one(x, exp):
    """exp(x) - 1 for x <= 0, from its series near zero; `exp` is exp(x)."""
    near = tl.maximum(x, -0.5)
    series = 1.0 + near * (1 / 8)
    series = 1.0 + series * near * (1 / 7)
    series = 1.0 + series * near * (1 / 6)
    series = 1.0 + series * near * (1 / 5)
    series = 1.0 + series * near * (1 / 4)
    series = 1.0 + series * near * (1 / 3)
    series = 1.0 + series * near * (1 / 2)
    return tl.where(x > -0.5, series * near, exp - 1.0)


@triton.jit
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def hyperbolic(x):
    """The hyperbolic tangent."""
    doubled = -2.0 * tl.abs(x)
    less = less_one(doubled, tl.exp(doubled))
    size = -less / (2.0 + less)
    return tl.where(x < 0.0, -size, size)


@triton.jit
def log_sigmoid(x):
    """min(x, 0) - log(1 + y) with y = exp(-|x|), the logarithm as 2 artanh(y / (2 + y))."""
    y = tl.exp(-tl.abs(x))
    s = y / (2.0 + y)
    t = s * s
    series = t * (1 / 15) + 1 / 13
    series = series * t + 1 / 11
    series = series * t + 1 / 9
    series = series * t + 1 / 7
    series = series * t + 1 / 5
    series = series * t + 1 / 3
    series = series * t + 1.0
    return tl.minimum(x, 0.0) - 2.0 * s * series
