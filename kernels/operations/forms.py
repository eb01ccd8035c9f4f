"""The operations in their two forms: one table to train with, one to be believed.

An encoder takes its operations from such a table, so its reference is the encoder itself on `REFERENCE`, in double
precision.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from kernels.operations import (
    attention,
    convolution,
    linear,
    mlstm,
    norm,
    recurrence,
    resample,
    retention,
    scan,
    swoosh,
)


@dataclass(frozen=True)
class Forms:
    """One form of every operation; the signatures are those of the modules named alike."""

    attention: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    bias_norm: Callable[[Tensor, Tensor, Tensor], Tensor]
    blockwise: Callable[[Tensor, Tensor], Tensor]
    depthwise: Callable[[Tensor, Tensor, int], Tensor]
    downsample: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    layer_norm: Callable[[Tensor, float], Tensor]
    linear: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    mlstm: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    retention: Callable[[Tensor, Tensor, Tensor], Tensor]
    rms_norm: Callable[[Tensor, float], Tensor]
    rotate: Callable[[Tensor], Tensor]
    scan: scan.Both
    slstm: Callable[[Tensor, Tensor, Tensor], Tensor]
    swoosh_l: Callable[[Tensor], Tensor]
    swoosh_r: Callable[[Tensor], Tensor]
    upsample: Callable[[Tensor, int, int], Tensor]


FAST = Forms(
    attention=attention.attention,
    bias_norm=norm.bias_norm,
    blockwise=linear.blockwise,
    depthwise=convolution.depthwise,
    downsample=resample.downsample,
    layer_norm=norm.layer_norm,
    linear=linear.linear,
    mlstm=mlstm.mlstm,
    retention=retention.retention,
    rms_norm=norm.rms_norm,
    rotate=retention.rotate,
    scan=scan.both,
    slstm=recurrence.slstm,
    swoosh_l=swoosh.swoosh_l,
    swoosh_r=swoosh.swoosh_r,
    upsample=resample.upsample,
)
REFERENCE = Forms(
    attention=attention.reference_attention,
    bias_norm=norm.reference_bias_norm,
    blockwise=linear.reference_blockwise,
    depthwise=convolution.reference_depthwise,
    downsample=resample.reference_downsample,
    layer_norm=norm.reference_layer_norm,
    linear=linear.reference_linear,
    mlstm=mlstm.reference_mlstm,
    retention=retention.reference_retention,
    rms_norm=norm.reference_rms_norm,
    rotate=retention.reference_rotate,
    scan=scan.reference_both,
    slstm=recurrence.reference_slstm,
    swoosh_l=swoosh.reference_swoosh_l,
    swoosh_r=swoosh.reference_swoosh_r,
    upsample=resample.reference_upsample,
)
