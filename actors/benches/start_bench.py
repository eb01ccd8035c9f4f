"""Where a bench's process begins; light, because each of its helper processes imports this module again before its
first task, as multiprocessing does with the main module.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time

from actors.benches.limits import impose

LOOK = 0.05
"""Seconds between two looks for the parent, which multiprocessing names a moment after this module was imported."""


def follow() -> None:
    """End this process when its parent has ended, however that came: a killed bench tells its helpers nothing."""
    while (parent := multiprocessing.parent_process()) is None:
        time.sleep(LOOK)
    parent.join()
    os._exit(1)


if __name__ == "__mp_main__":
    threading.Thread(target=follow, name="follow", daemon=True).start()

if __name__ == "__main__":
    impose(sys.argv[1:])
    from actors.benches.bench import main

    main()
