"""`python -m bpderive` is the command `bpderive`."""

import sys

from bpderive.cli import main

if __name__ == "__main__":
    sys.exit(main())
