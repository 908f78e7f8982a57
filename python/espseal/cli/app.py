"""The table of contents of the command `espseal`.

A new command is a module beside this one (or a folder, for a group of commands)
and a line here.
"""

from typing import Annotated

import typer

import espseal
from espseal.cli import (
    demo,
    device,
    exits,
    fleet,
    inspect,
    keyring,
    listen,
    provision,
    send,
    store,
)
from espseal.cli.options import examples
from espseal.cli.root import Root

app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    # Key material may be a local variable anywhere: a traceback must not show them.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog=examples(
        "espseal demo                 see it work, on this machine alone",
        "espseal keyring new          begin with a system of your own",
        "espseal keyring check        is the keyring right, and what is in it?",
        "espseal listen               receive what the devices send",
    )
    + "\n\n"
    + exits.EXPLAINED,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"espseal {espseal.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Readings of small devices, sealed from the device to your program.

    Whoever has the MQTT broker in between can read none, change none, invent none
    and have none counted twice.
    """


app.add_typer(keyring.app, name="keyring")
app.add_typer(fleet.app, name="fleet")
app.add_typer(device.app, name="device")
app.add_typer(store.app, name="store")
app.command("provision", epilog=provision.EXAMPLES)(provision.provision)
app.command("listen", epilog=listen.EXAMPLES)(listen.listen)
app.command("send", epilog=send.EXAMPLES)(send.send)
app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
