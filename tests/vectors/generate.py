"""Generate the test vectors: `independent` does it, this is the program."""

import sys

from independent.command import main

if __name__ == "__main__":
    sys.exit(main())
