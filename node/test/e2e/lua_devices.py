"""Simulated boards that run the NodeMCU firmware, for as long as standard input is open.

The first line of standard input is JSON: a list of boards, each with `chip_id`, `startup` and
`config`, in which ``{"lua": "..."}`` is Lua source. Each line of a serial port is printed, after
the board's chip ID.
"""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from espseal.simulator import LuaSource, Node


def main() -> None:
    """Runs the boards, and fails if one of them panicked."""
    boards = json.loads(sys.stdin.readline())
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(board)) for board in boards]
        for _ in sys.stdin:
            pass
        panics = sum(each.panics for each in nodes)
    sys.exit(1 if panics else 0)


def node(board: dict[str, Any]) -> Node:
    """A board to switch on."""
    config = {name: value(given) for name, given in board["config"].items()}
    chip_id = board["chip_id"]
    return Node(
        chip_id=chip_id,
        config=config,
        startup=board["startup"],
        on_line=printer(chip_id),
    )


def value(given: Any) -> Any:  # noqa: ANN401 (whatever JSON has)
    """A value of the configuration."""
    is_source = isinstance(given, dict) and set(given) == {"lua"}
    return LuaSource(given["lua"]) if is_source else given


def printer(chip_id: int) -> Callable[[str], None]:
    """Prints the lines of one board."""
    return lambda line: print(chip_id, line, flush=True)


if __name__ == "__main__":
    main()
