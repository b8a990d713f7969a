"""The command `directory`.

What it imports stays, and is therefore no garbage: to look for some in between took a quarter of
the time that the site needs to start (docs/decisions/023-web-tier.md).
"""

import gc

gc.disable()

from directory.cli import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
