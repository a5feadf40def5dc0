"""The program ``sonoprint``: also ``python -m sonoprint``."""

import os
import signal
import sys
import tempfile

from . import _native


def main() -> None:
    """Runs the program with this process's command line, and ends the process."""
    # Python only notes Ctrl-C until its own code goes on. The program wants it at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        # Mesa's device layer asks for a Wayland display and complains on stderr without it.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    sys.exit(_native.run(["sonoprint", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
