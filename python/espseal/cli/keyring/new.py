"""``espseal keyring new``."""

from typing import Final

from espseal import KeyringFile
from espseal.cli import console, following
from espseal.cli.options import KeyringArgument, KeyringOption, examples, one_path

EXAMPLES: Final = examples(
    "espseal keyring new",
    "espseal keyring new greenhouse.toml",
    "ESPSEAL_KEYRING=greenhouse.toml espseal keyring new",
)


def new(path: KeyringArgument = None, keyring: KeyringOption = None) -> None:
    """Make a keyring with a new session key and no devices yet.

    Only you can read the file (mode 0600). One that is there already is left as it is.
    """
    file = KeyringFile.create(one_path(path, keyring))
    console.say(f"Made {file.path} with a new session key; only you can read it.")
    console.say("It will hold the keys of your devices: keep a copy in a safe place.")
    following.suggest(
        "make a fleet of devices with keys of their own",
        *("fleet", "new", "home"),
        keyring=file.path,
    )
    following.suggest(
        "or add a group of nodes that share their keys",
        *("keyring", "add", "group", "greenhouse"),
        *("--topic", "sensors/+", "--session-topic", "sensors/session"),
        keyring=file.path,
    )
