"""What the library costs on the chip: measured in the emulator, written where it is read.

python -m tests.arduino.costs
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from .conftest import LIBRARY, ROOT, emulate, make_lx106, make_tls, run

README = LIBRARY / "README.md"
GUIDE = ROOT / "docs" / "esp8266.md"
_START = "<!-- costs: python -m tests.arduino.costs writes these tables -->\n"
_END = "<!-- end of costs -->\n"
_TLS_START = "<!-- tls: so does this; it takes a minute more, and no test repeats it -->\n"
_TLS_END = "<!-- end of tls -->\n"
_GUIDE_START = "<!-- costs: python -m tests.arduino.costs writes these tables, too -->\n"
_GUIDE_END = "<!-- end of costs -->\n"
# What the ESP8266 core adds to the buffers of a connection, and the second stack that it gives
# BearSSL (its WiFiClientSecureBearSSL and StackThunk).
_OVERHEAD = 325 + 85
_STACK = 6400
_SENT = 512

# What must not be exceeded.
INSTRUCTIONS_MAX = {
    "sealed_keys": 70_000,
    "sealed_seal_20": 34_000,
    "sealed_open_20": 34_000,
    "sealed_seal_200": 155_000,
    "sealed_open_200": 155_000,
    "device_seal_20": 34_000,
}
CODE_MAX = {"size_frame": 2048, "size_device": 4096}


@dataclass
class Call:
    """One run of an entry point."""

    instructions: int
    stack: int


@dataclass
class Code:
    """What a program links: bytes of code and of constants, the library's own and BearSSL's."""

    own: int = 0
    own_constants: int = 0
    bearssl: int = 0
    bearssl_constants: int = 0


@dataclass
class Costs:
    """Everything that was measured."""

    calls: dict[str, Call]
    code: dict[str, Code]
    context: dict[str, int] = field(default_factory=dict)


def measure(folder: Path) -> Costs:
    """Runs and reads the images."""
    lines = (line.split() for line in emulate(folder / "measure.elf").splitlines())
    calls = {name: Call(int(count), int(stack)) for name, count, stack in lines}
    programs = ["size_frame", "size_device", "size_classic", "size_node"]
    code = {name: _sizes((folder / f"{name}.map").read_text()) for name in programs}
    costs = Costs(calls, code)
    for name, symbol, program in [
        ("sealed", "keys", "size_frame"),
        ("classic", "keys", "size_classic"),
        ("device", "device", "size_device"),
        ("node", "device", "size_node"),
    ]:
        symbols = run("xtensa-lx106-elf-nm", "-S", folder / f"{program}.elf")
        found = re.search(rf"^\w+ (\w+) \w {symbol}$", symbols, re.MULTILINE)
        assert found is not None, program
        costs.context[name] = int(found[1], 16)
    return costs


def _sizes(text: str, archive: str = "bearssl.a") -> Code:
    """Adds up what the linker kept, from its map."""
    kept = text.split("Linker script and memory map")[1]
    # A long name of a section stands on a line of its own.
    kept = re.sub(r"\n {8,}(0x)", r" \1", kept)
    code = Code()
    for section, address, size, file in re.findall(
        r"^ \.(\w+)\S* +(0x\w+) +(0x\w+) (\S+)", kept, re.MULTILINE
    ):
        if int(address, 16) == 0:
            continue
        count = int(size, 16)
        constants = section == "rodata"
        if section not in ("text", "literal", "rodata"):
            continue
        if "/core/" in file:
            code.own += 0 if constants else count
            code.own_constants += count if constants else 0
        elif archive in file:
            code.bearssl += 0 if constants else count
            code.bearssl_constants += count if constants else 0
    return code


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables(costs: Costs) -> str:
    """The tables, in Markdown."""

    def call(name: str) -> list[str]:
        cost = costs.calls[name]
        return [f"{cost.instructions:,}".replace(",", " "), f"{cost.stack} B"]

    calls = [
        ["keys of one direction", *call("sealed_keys"), *call("classic_keys_seal")],
        ["seal 20 bytes", *call("sealed_seal_20"), *call("classic_seal_20")],
        ["open 20 bytes", *call("sealed_open_20"), *call("classic_open_20")],
        ["seal 200 bytes", *call("sealed_seal_200"), *call("classic_seal_200")],
        ["open 200 bytes", *call("sealed_open_200"), *call("classic_open_200")],
    ]
    device = [
        ["begin", *call("device_begin")],
        ["the first reading, which reserves 1024 counters", *call("device_seal_first")],
        ["a reading of 20 bytes", *call("device_seal_20")],
        ["a hello", *call("device_hello")],
        ["a command of 20 bytes, with its acknowledgement", *call("device_command_20")],
        ["a ratchet, with its acknowledgement", *call("device_ratchet")],
        ["before deep sleep", *call("device_sleep")],
    ]
    names = {
        "size_frame": ("sealed frames", costs.context["sealed"]),
        "size_device": ("a sealed device, everything", costs.context["device"]),
        "size_classic": ("classic frames, all layouts", costs.context["classic"]),
        "size_node": ("a classic node, everything", costs.context["node"]),
    }
    sizes = [
        [
            name,
            f"{costs.code[program].own} B",
            f"{costs.code[program].bearssl} B",
            f"{costs.code[program].own_constants + costs.code[program].bearssl_constants} B",
            f"{context} B",
        ]
        for program, (name, context) in names.items()
    ]
    return "\n".join(
        [
            _table(
                ["frame", "sealed: instructions", "stack", "classic hex: instructions", "stack"],
                calls,
            ),
            _table(["device", "instructions", "stack"], device),
            _table(["program", "code", "BearSSL's code", "constants", "context in RAM"], sizes),
        ]
    )


def measure_tls(folder: Path) -> dict[str, int]:
    """The parts of a handshake, in instructions, and the bytes of a client's contexts."""
    lines = (line.split() for line in emulate(folder / "tls.elf").splitlines())
    return {name: int(count) for name, count in lines}


def transport_tables(said: dict[str, int]) -> str:
    """What a handshake takes and holds, for who chooses a transport."""
    exchange = said["p256_base"] + said["p256"]
    signature = {"P-256": said["p256_muladd"], "RSA 2048": said["rsa_2048"]}

    def cell(instructions: int) -> str:
        # At best: one instruction a cycle, and nothing waits for flash.
        return f"{instructions / 1e6:.0f} million, {instructions / 80e6:.1f} s"

    times = [
        [key, cell(exchange + one), cell(exchange + 2 * one)] for key, one in signature.items()
    ]
    sizes = [
        [
            f"{record} bytes",
            f"{(said['contexts'] + record + _SENT + _OVERHEAD) / 1000:.1f} kB",
            f"{(said['contexts'] + record + _SENT + _OVERHEAD + _STACK) / 1000:.1f} kB",
        ]
        for record in (512, 1024, 2048, 4096, 16384)
    ]
    return "\n".join(
        [
            _table(
                [
                    "the broker's key",
                    "`fingerprint`, `public_key`, `insecure`",
                    "`ca` (broker and CA alike)",
                ],
                times,
            ),
            _table(["records of the broker", "heap", "and BearSSL's stack"], sizes),
        ]
    )


def tls_table(costs: Costs, said: dict[str, int], folder: Path) -> str:
    """The same beside a client of TLS."""
    code = _sizes((folder / "tls.map").read_text(), "tls.a")
    # Two multiplications on the curve, two signatures with RSA.
    handshake = said["p256_base"] + said["p256"] + 2 * said["rsa_2048"]
    own = costs.code["size_device"]
    rows = [
        [
            "code",
            f"{(own.own + own.bearssl) / 1000:.1f} kB",
            f"{code.bearssl / 1000:.1f} kB",
        ],
        [
            "constants",
            f"{(own.own_constants + own.bearssl_constants) / 1000:.1f} kB",
            f"{code.bearssl_constants / 1000:.1f} kB",
        ],
        [
            "RAM besides",
            f"{costs.context['device'] / 1000:.1f} kB, no heap",
            f"{said['contexts'] / 1000:.1f} kB and buffers: 22 kB of heap as the core has them, "
            "7 to 15 kB with small fragments; and a stack of 6 kB",
        ],
        [
            "instructions before the first reading",
            f"{costs.calls['device_begin'].instructions / 1e6:.2f} million",
            f"over {handshake / 1e6:.0f} million: the arithmetic of a handshake alone",
        ],
    ]
    return _table(["", "sealed", "TLS (BearSSL, ECDHE on P-256, RSA 2048)"], rows)


def updated(readme: str, costs: Costs) -> str:
    """The README with the tables of now."""
    return _replaced(readme, _START, _END, tables(costs))


def _replaced(text: str, start: str, end: str, between: str) -> str:
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}\n{between}\n{end}{after}"


def main() -> None:
    """Measures, and writes."""
    costs = measure(make_lx106())
    readme = updated(README.read_text(encoding="utf-8"), costs)
    folder = make_tls()
    said = measure_tls(folder)
    readme = _replaced(readme, _TLS_START, _TLS_END, tls_table(costs, said, folder))
    README.write_text(readme, encoding="utf-8")
    guide = GUIDE.read_text(encoding="utf-8")
    guide = _replaced(guide, _GUIDE_START, _GUIDE_END, transport_tables(said))
    GUIDE.write_text(guide, encoding="utf-8")


if __name__ == "__main__":
    main()
