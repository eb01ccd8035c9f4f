"""Every backbone by name, each found by import string, so that naming one imports neither torch nor transformers."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from kernels.backbones.backbone import Backbone
from kernels.errors import BadConfiguration

BUILT_IN = {
    "appearance": "kernels.backbones.filters:backbone",
    "motion": "kernels.backbones.filters:backbone",
    "image_small": "kernels.backbones.networks:backbone",
    "image_large": "kernels.backbones.networks:backbone",
    "video": "kernels.backbones.networks:backbone",
    "random": "kernels.backbones.networks:backbone",
    "fused": "kernels.backbones.fused:backbone",
}
PRETRAINED = dict.fromkeys(
    ("vjepa2", "dinov3_b", "dinov3_l", "dinov2_b", "siglip2", "convnext"), "kernels.backbones.pretrained:backbone"
) | {"fusion": "kernels.backbones.fused:backbone"}
FUSED = {"fused": ("image_small", "image_large", "video"), "fusion": ("vjepa2", "dinov3_b", "siglip2")}
KNOWN = BUILT_IN | PRETRAINED


@cache
def find(name: str) -> Backbone:
    """The backbone of this name.

    Raises:
        BadConfiguration: there is none.
    """
    if name not in KNOWN:
        raise BadConfiguration("backbone", name, ", ".join(KNOWN))
    module, _, attribute = KNOWN[name].partition(":")
    found: Backbone = getattr(import_module(module), attribute)(name)
    return found


def missing(names: Sequence[str]) -> tuple[str, ...]:
    """One sentence, with what to do, for each package and each model's weights that these backbones need and lack."""
    wanted = dict.fromkeys(part for name in names for part in FUSED.get(name, (name,)))
    published = [name for name in wanted if name in PRETRAINED]
    if not published:
        return ()
    from kernels.backbones import pretrained  # noqa: PLC0415 # torch, that naming a backbone does not wait for

    return pretrained.missing(published)
