"""The moment between us and the server: this process asks the kernel to end it with its parent, then becomes it.

Run as a script with the parent's process id, the binary and its arguments. It exists because a parent with threads may
not run Python between fork and exec. Only Linux has the request (PR_SET_PDEATHSIG); elsewhere a server can outlive a
parent that was killed, keeps the lock of its store, and the next run names its process id.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the server, or end at once when the parent is already gone."""
    parent, binary, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(binary, arguments)  # noqa: S606 # becoming the server is what this process is for


main()
