"""What came of the keys of a classic frame."""

from collections.abc import Iterator

from espseal import Finding, Fit, Inspection, Message
from espseal.cli import console
from espseal.cli.inspect import words
from espseal.cli.inspect.words import advise, escaped, explain


def show_fit(finding: Finding, fit: Fit, topic: str | None, answer: Message | None) -> None:
    """Under what it opens, and what it holds."""
    console.out().print()
    words.tell(f"It opens under {keys_of(finding)}:", "bold green")
    words.show_pairs(_contents(fit))
    for advice in _advice(finding, fit, topic, answer):
        advise(advice)


def show_diagnosis(inspection: Inspection, *, sessions: int, stored: bool) -> None:
    """What was tried in vain, and what that leaves."""
    console.out().print()
    words.tell("It does not open.", "bold red")
    words.show_tried((keys_of(finding), _told(finding)) for finding in inspection.findings)
    if len(inspection.findings) == 1:
        advise("No group of the keyring has a topic filter that matches this topic.")
    elif inspection.layout == "port":
        advise("So the device has other keys, or the frame was changed on its way.")
    else:
        tried = ["the empty session"]
        tried += [f"{sessions} given"] * bool(sessions) + ["those of the state"] * stored
        explain(
            "All were tried with text and with binary data, with the MAC over unpadded and over "
            f"padded values, and under {' and '.join(tried)}."
        )
        advise(_conclusion(inspection.findings))


def keys_of(finding: Finding) -> str:
    """Whose keys were tried: their name, never they themselves."""
    if finding.owner is not None:
        return f"the own keys of {finding.owner}"
    if finding.group is not None:
        return f"the keys of the group {finding.group}"
    return "the keys printed in the article"


def _told(finding: Finding) -> str:
    """Which of the keys fit all the same."""
    if finding.claims is not None:
        return "iv_key, static_iv and data_key fit"
    return "iv_key and static_iv fit" if finding.iv_fits else ""


def _conclusion(findings: list[Finding]) -> str:
    for finding in findings:
        if finding.claims is not None:
            device = f", which is {finding.claims.device}" if finding.claims.device else ""
            return (
                f"It claims to be of {speaker(finding.claims.node)}{device}, and only its MAC is "
                "wrong. So it has a session that is not known here (--session gives one), the "
                "device has another passphrase, or the frame was changed on its way."
            )
    if any(finding.iv_fits for finding in findings):
        return "So the device has another data_key, or the frame was changed on its way."
    return (
        "So the device has other keys (iv_key or static_iv, as far as its IV tells), or the frame "
        "was changed on its way."
    )


def speaker(node: bytes) -> str:
    """Who speaks to whom (CLASSIC.md, Layouts)."""
    sender, arrow, to = node.partition(b">")
    if not arrow:
        return escaped(sender)
    if not sender:
        return f"a command to {escaped(to)}"
    return f"a message of {escaped(sender)} to {escaped(to)}"


def _contents(fit: Fit) -> Iterator[tuple[str, str]]:
    if fit.device is not None:
        yield "device", fit.device
    if fit.layout != "port":
        yield "node", speaker(fit.node)
    yield "data", words.shown(fit.data)
    yield "iv", f'"{escaped(fit.iv)}"'
    yield "session", _session(fit)
    if fit.layout != "port":
        yield "made with", f'data = "{fit.mode}", mac = "{fit.mac}"'


def _session(fit: Fit) -> str:
    if fit.session == "given":
        return "the one given"
    if fit.session == "empty":
        return "the empty one"
    if fit.session == "none" or fit.session_time is None:
        return "none: this layout has none"
    return f"ours, {words.minted(fit.session_time)}"


def _advice(finding: Finding, fit: Fit, topic: str | None, answer: Message | None) -> Iterator[str]:
    """Why a receiver may refuse it all the same; its own reason says more, where there is one."""
    if finding.group is None:
        yield "Everyone knows these keys: draw new ones (espseal keyring add group)."
        return
    if not fit.as_in_keyring:
        yield (
            f'The keyring says otherwise, so a receiver answers forged: write data = "{fit.mode}" '
            f'and mac = "{fit.mac}" in the group {finding.group}.'
        )
    elif answer is None:
        yield from _expected(fit)
    if fit.device is None and fit.layout == "port" and topic is None:
        yield "In layout port the topic names the device: --topic says which it is."
    elif fit.device is None and b">" not in fit.node and answer is None:
        yield "The keyring does not list it: a receiver answers unknown_device."


def _expected(fit: Fit) -> Iterator[str]:
    if fit.session in ("empty", "none"):
        yield (
            "It has no session, so anyone could have recorded it: a receiver answers "
            "stale_session, unless the group says danger_accept_replays = true."
        )
    elif words.has_expired(fit):
        yield (
            f"Its session is older than {fit.session_life} s: a receiver answers stale_session. "
            "Does the device hear the session topic?"
        )
    if b">" in fit.node:
        yield "It is no reading: a receiver of readings answers wrong_direction."
