"""``espseal listen``."""

import os
import signal
from pathlib import Path
from typing import Annotated, Final

import typer

from espseal import Keyring
from espseal._adapter import topic_filters
from espseal.cli import exits
from espseal.cli.broker.options import Broker, with_broker
from espseal.cli.keyring.complete import topics as known_topics
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import MemoryOption, StateOption, open_store

EXAMPLES: Final = examples(
    "espseal listen",
    "espseal listen --sqlite readings.sqlite3 --host broker.example --ca ca.pem",
    "espseal listen --discover 'sensors/+'",
    "espseal listen --json --count 10 --timeout 60 | jq .data",
)


@with_broker
def listen(
    broker: Broker,
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC",
            help="Topic filters; without one, those of the keyring's groups and fleets.",
            autocompletion=known_topics,
        ),
    ] = None,
    keyring: KeyringOption = None,
    sqlite: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Store fresh readings in the table 'readings'."),
    ] = None,
    state: StateOption = None,
    memory: MemoryOption = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Publish no session IDs: follow another receiver's.")
    ] = False,
    discover: Annotated[
        bool,
        typer.Option("--discover", help="Show nodes that the keyring does not list; name them."),
    ] = False,
    as_json: JsonOption = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after N fresh readings.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0, metavar="S", help="End after S seconds.")
    ] = None,
) -> None:
    """Receive readings: open each frame, show it, store what is fresh.

    Publishes the session IDs that the devices need: they can send while it
    runs. Ctrl-C ends it. A broker that is down is waited for, unless --count or
    --timeout say that it ends by itself. With --json each message is a line:
    time, verdict, device, data, or the reason why it was refused.
    """
    # Paho is not needed for any --help.
    from espseal.cli.listen import run

    known = Keyring.load(keyring)
    listed = [each.topic for each in known.groups] + known.up_filters
    if not (topics or listed):
        raise exits.CommandError(
            f"{known.path} has no fleet and no group yet: espseal fleet new, "
            "or espseal keyring add group."
        )
    try:
        filters = topic_filters(topics or listed)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'TOPIC'") from None
    try:
        run.listen(
            broker,
            known,
            open_store(state, memory),
            filters,
            follow=follow,
            discover=discover,
            sqlite=sqlite,
            as_json=as_json,
            count=count,
            timeout=timeout,
        )
    except KeyboardInterrupt:
        raise typer.Exit(exits.INTERRUPTED) from None
    except run.TerminatedError:
        # Everything is closed: end as the signal would have.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
