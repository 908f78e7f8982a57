"""The last act: one table and one sentence."""

from rich import box
from rich.table import Table
from rich.text import Text

from espseal.demo.judge import Played, Report


def summary_table(report: Report) -> Table:
    """Sent, arrived, refused: a row for each device and each attack."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("what")
    for column in ("sent", "arrived", "refused"):
        table.add_column(column, justify="right")
    table.add_column("as")
    for device, sent in report.sent.items():
        arrived = report.arrived.get(device, ())
        right = sorted(sent) == sorted(arrived)
        table.add_row(
            f"readings of {device}",
            str(len(sent)),
            Text(str(len(arrived)), "green" if right else "red"),
            "0",
            Text("fresh") if right else Text("not as sent", "red"),
        )
    table.add_section()
    for attack in report.attacks:
        table.add_row(*_attack_row(attack))
    return table


def ending(report: Report, seconds: float) -> list[Text]:
    """What it comes to, in a sentence; nothing where something went wrong: that is a failure."""
    if report.problems():
        return []
    readings = sum(map(len, report.sent.values()))
    messages = sum(attack.messages for attack in report.attacks)
    return [
        Text(f"All {readings} readings arrived, each exactly once.", "bold green"),
        Text(f"All {len(report.scenes)} other scenes went as told.", "bold green"),
        Text.assemble(
            (f"All {messages} messages of the attacker were refused.", "bold green"),
            (f" It took {seconds:.0f} s.", "dim"),
        ),
    ]


def _attack_row(attack: Played) -> tuple[str, str, Text, Text, Text]:
    answers = ", ".join(answer for answer, n in attack.answers.items() if n) or "no answer"
    wanted = "" if attack.well else f", not {attack.messages} x {attack.expected}"
    return (
        attack.name,
        str(attack.messages),
        Text(str(attack.accepted), "red" if attack.accepted else ""),
        Text(str(attack.refused), "green" if attack.well else "red"),
        Text(answers + wanted, "" if attack.well else "red"),
    )
