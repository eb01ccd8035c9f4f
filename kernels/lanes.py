"""How many runs each kind of device trains side by side: fixed, because another count is another result."""

from kernels.errors import WrongDevice

COUNTS = {"cpu": 1, "cuda": 32}


def count(device: str) -> int:
    """Lanes of a pack on a device such as "cpu" or "cuda:1".

    Raises:
        WrongDevice: this room does not train on that kind of device.
    """
    kind = device.partition(":")[0]
    if kind not in COUNTS:
        raise WrongDevice(device, ", ".join(COUNTS))
    return COUNTS[kind]
