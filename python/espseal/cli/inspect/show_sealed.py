"""What came of the keys of a sealed frame."""

from collections.abc import Iterator

from espseal import Inspection, Keyring, Listed, Message, SealedFinding, SealedFit, SealedInspection
from espseal.cli import console, following
from espseal.cli.data import printable
from espseal.cli.inspect import mistakes, words
from espseal.cli.inspect.words import advise, explain


def show(
    inspection: Inspection,
    keyring: Keyring,
    *,
    topic: str | None,
    answer: Message | None,
    plaintext: bool,
) -> None:
    """Whose it is, under what it opens or what was tried, and what is wrong with it."""
    claims = inspection.sealed
    if claims is None:
        return
    console.out().print()
    _show_listed(claims)
    finding = next((each for each in claims.findings if each.fit), None)
    if finding is None or finding.fit is None:
        _show_diagnosis(claims)
    else:
        _show_fit(claims, finding, finding.fit, plaintext=plaintext)
        for sentence in mistakes.sentences(claims, finding.fit):
            advise(sentence)
        _show_advice(claims, finding, finding.fit, keyring, answer)
    listed = claims.listed
    if topic is not None and listed is not None and topic != listed.topic:
        advise(f"It was on {topic}, but the keyring expects such a frame on {listed.topic}.")


def _show_listed(claims: SealedInspection) -> None:
    listed = claims.listed
    if listed is None:
        words.tell(f"The keyring lists no device with the address {claims.address}.")
        return
    words.tell(f"The address is that of {listed.name}, in the fleet {listed.fleet}.")
    if listed.revoked:
        advise(f"{listed.name} is revoked: a receiver refuses all its frames.")
    elif claims.epoch < listed.minimum_epoch:
        advise(
            f"The keyring takes nothing below epoch {listed.minimum_epoch} of {listed.name}: a "
            "receiver answers wrong_epoch."
        )


def _show_fit(
    claims: SealedInspection, finding: SealedFinding, fit: SealedFit, *, plaintext: bool
) -> None:
    console.out().print()
    style = "bold yellow" if fit.mistakes else "bold green"
    wrong = ", but it is not as it has to be" if fit.mistakes else ""
    words.tell(f"It opens under {_keys_of(claims, finding)}{wrong}:", style)
    # The sentence above has named the device, unless it is not the one of the address.
    named = finding.keys_of in ("device", "former")
    words.show_pairs(_contents(claims, fit, named=named, plaintext=plaintext))


def _contents(
    claims: SealedInspection, fit: SealedFit, *, named: bool, plaintext: bool
) -> Iterator[tuple[str, str]]:
    if fit.device is not None and not named:
        yield "device", fit.device
    yield "epoch", f"{fit.epoch}"
    yield "session", _session(fit)
    if fit.kind == "data":
        yield "data", words.shown(fit.data)
    elif not plaintext:
        yield "body", f"{len(fit.data)} bytes (--plaintext shows what they say)"
    elif fit.body is None:
        yield "body", f"{words.shown(fit.data)}: no {fit.kind} body; a receiver ignores it"
    else:
        said, *more = (f"{name} {value}" for name, value in fit.body.items())
        yield "body", printable(", ".join([said.removeprefix("says "), *more]))
    if claims.listed is not None and claims.listed.head is not None:
        yield "so far", _so_far(claims, claims.listed)


def _session(fit: SealedFit) -> str:
    known = "" if fit.session_time is None else f", {words.minted(fit.session_time)}"
    match fit.session:
        case "none":
            return "none"
        case "given":
            return f"the one given{known}"
        case "beacon":
            return f"the beacon's{known}"
        case "current":
            return "the device's: commands are bound to it"
        case "pending":
            return "the device's, whose welcome it has not acknowledged"
        case "expired":
            return "the device's, which a later one has replaced"
        case "zeros":
            return "16 zero bytes"


def _so_far(claims: SealedInspection, listed: Listed) -> str:
    head = listed.head or 0
    if claims.direction == "downlink":
        place = ""
    elif claims.counter > head:
        place = f", {claims.counter - head} below this one"
    elif claims.counter == head:
        place = ", which is this one"
    else:
        place = f", {head - claims.counter} above this one"
    seen = "" if listed.last_seen is None else f", seen {words.ago(listed.last_seen)}"
    return f"counter {head}{place}; epoch {listed.reached_epoch}{seen}"


def _show_advice(
    claims: SealedInspection,
    finding: SealedFinding,
    fit: SealedFit,
    keyring: Keyring,
    answer: Message | None,
) -> None:
    if finding.keys_of == "unlisted" and finding.fleet is not None:
        words_of = ("device", "add", "NAME", "--fleet", finding.fleet, "--address", claims.address)
        command = following.command(*words_of, keyring=keyring.path or "")
        advise(
            "So it is of a device that was provisioned for this fleet and is not in the keyring: "
            "a receiver answers unknown_device. This adds it, unless you removed it on purpose:"
        )
        console.say(f"  {command}", "bold cyan")
    if fit.mistakes or answer is not None:
        return
    if fit.direction == "downlink":
        advise("It goes to the device: a receiver answers wrong_direction.")
    elif words.has_expired(fit):
        life = fit.session_life
        advise(f"The beacon's sessions live {life} s: a receiver answers stale_session.")
    elif fit.session == "expired":
        advise("A receiver answers stale_session.")


def _show_diagnosis(claims: SealedInspection) -> None:
    console.out().print()
    words.tell("It does not open.", "bold red")
    words.show_tried(
        (_keys_of(claims, each), f"epoch{'s' * (len(each.epochs) > 1)} {_epochs(each.epochs)}")
        for each in claims.findings
    )
    if not claims.findings:
        advise("The keyring has no fleet, so there was no key to try.")
        return
    explain(
        "All were tried in both directions, with the fields in either byte order, and "
        f"{_sessions(claims)}."
    )
    advise(_conclusion(claims))


def _conclusion(claims: SealedInspection) -> str:
    changed = "or it was changed on its way."
    listed = claims.listed
    if listed is None:
        return f"So it is of a system that this keyring does not belong to, {changed}"
    key = f"{listed.name} has another key (espseal provision {listed.name} writes the right one)"
    if claims.session_bound:
        session = "it is bound to a session that is not known here (--session gives one)"
        return f"So {session}, {key}, {changed}"
    return f"So {key}, {changed}"


def _sessions(claims: SealedInspection) -> str:
    counts = [
        (claims.sessions_given, "given"),
        (claims.sessions_of_beacons, "of beacons"),
        (claims.sessions_of_device, "of the device"),
    ]
    tried = [f"{count} {what}" for count, what in counts if count]
    return f"with and without a session ({', '.join(tried)})" if tried else "without a session"


def _keys_of(claims: SealedInspection, finding: SealedFinding) -> str:
    listed = claims.listed.name if claims.listed else ""
    match finding.keys_of:
        case "device":
            return f"the key of {listed}" if finding.fleet else f"the own key of {listed}"
        case "former":
            return f"the key that {listed} had of its fleet"
        case "unlisted":
            return f"the key that the fleet {finding.fleet} gives for this address"
        case "reversed":
            return "the key of the device with the reversed address"
        case "others":
            several = "devices" if finding.devices > 1 else "device"
            return f"the key of another device ({finding.devices} {several} tried)"
        case "fleet":
            return f"the key of the fleet {finding.fleet} itself"


def _epochs(epochs: list[int]) -> str:
    parts: list[str] = []
    ordered = sorted(epochs)
    start = 0
    for at, epoch in enumerate(ordered):
        if at + 1 == len(ordered) or ordered[at + 1] != epoch + 1:
            first = ordered[start]
            parts.append(f"{first}" if first == epoch else f"{first}-{epoch}")
            start = at + 1
    return ", ".join(parts)
