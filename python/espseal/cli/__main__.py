"""``python -m espseal.cli`` is ``espseal``."""

from espseal.cli import main

main()
