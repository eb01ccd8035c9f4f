"""The temporal encoders by name, each as the import string of its class, so that naming one imports no torch.

An encoder declares its parameters on a blueprint and maps x (E, B, T, D) with mask (E, B, T) to (E, B, T, D). Clips end
together: padding, where there is any, lies before a clip's first step.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from kernels.errors import BadConfiguration

if TYPE_CHECKING:
    from kernels.forward import Encoder, Size
    from kernels.parameters import Blueprint

ENCODERS = {
    "zipformer": "kernels.encoders.zipformer:Zipformer",
    "retnet": "kernels.encoders.retnet:RetNet",
    "bimamba": "kernels.encoders.bimamba:BiMamba",
    "hybrid": "kernels.encoders.hybrid:Hybrid",
    "xlstm": "kernels.encoders.xlstm:XLSTM",
}


def build(name: str, blueprint: "Blueprint", size: "Size") -> "Encoder":
    """Imports the encoder `name` and lets it declare its parameters.

    Raises:
        BadConfiguration: the width does not divide into the heads.
    """
    if size.width % (2 * size.heads):
        raise BadConfiguration("width", size.width, f"a multiple of twice the heads, {2 * size.heads}")
    module, _, kind = ENCODERS[name].partition(":")
    encoder: Encoder = getattr(import_module(module), kind)(blueprint, size)
    return encoder
