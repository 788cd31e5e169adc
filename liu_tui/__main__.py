"""`python -m liu_tui`: the same as `liu-tui`."""

import sys

from liu_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
