"""An inspected frame as JSON."""

from typing import Any

from espseal import Finding, Inspection, Listed, Message, SealedFinding, SealedFit, SealedInspection
from espseal.cli.data import in_json
from espseal.cli.inspect.show import shown_bytes
from espseal.cli.inspect.words import escaped


def record(found: Inspection, answer: Message | None, *, plaintext: bool) -> dict[str, Any]:
    """All that is known of it. ``plaintext``: the bodies of hello and control frames, too."""
    sealed = found.sealed
    return {
        "format": found.format,
        "layout": found.layout,
        "armored": found.armored,
        "size": len(found.frame),
        "malformed": found.malformed,
        "offset": found.offset,
        "reason": found.reason,
        "fields": [
            {
                "name": field.name,
                "offset": field.offset,
                "size": field.size,
                "bytes": shown_bytes(found, field),
            }
            for field in found.fields
        ],
        "claims": _claims(sealed) if sealed else None,
        "listed": _listed(sealed.listed) if sealed and sealed.listed else None,
        "findings": [_sealed_finding(each, plaintext=plaintext) for each in sealed.findings]
        if sealed
        else [_finding(each) for each in found.findings],
        "restarted_receiver": answer and {"verdict": answer.verdict.value, "reason": answer.reason},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    fit = finding.fit
    record: dict[str, Any] = {"group": finding.group, "owner": finding.owner, "fits": False}
    if fit is None:
        claims = finding.claims
        return record | {
            "iv_fits": finding.iv_fits,
            "claims": claims and {"node": escaped(claims.node), "device": claims.device},
        }
    return record | {
        "fits": True,
        "as_in_keyring": fit.as_in_keyring,
        "mode": fit.mode,
        "mac": fit.mac,
        "session": fit.session,
        "session_time": fit.session_time,
        "device": fit.device,
        "node": escaped(fit.node) if fit.node else None,
        **in_json(fit.data),
    }


def _claims(sealed: SealedInspection) -> dict[str, Any]:
    return {
        "direction": sealed.direction,
        "kind": sealed.kind,
        "session_bound": sealed.session_bound,
        "epoch": sealed.epoch,
        "address": sealed.address,
        "counter": sealed.counter,
    }


def _listed(listed: Listed) -> dict[str, Any]:
    return {
        "device": listed.name,
        "fleet": listed.fleet,
        "own_key": listed.own_key,
        "revoked": listed.revoked,
        "minimum_epoch": listed.minimum_epoch,
        "topic": listed.topic,
        "reached_epoch": listed.reached_epoch,
        "head": listed.head,
        "last_seen": listed.last_seen,
    }


def _sealed_finding(finding: SealedFinding, *, plaintext: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "keys_of": finding.keys_of,
        "fleet": finding.fleet,
        "devices": finding.devices,
        "epochs": finding.epochs,
        "fits": finding.fit is not None,
    }
    return record | _sealed_fit(finding.fit, plaintext=plaintext) if finding.fit else record


def _sealed_fit(fit: SealedFit, *, plaintext: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "device": fit.device,
        "epoch": fit.epoch,
        "direction": fit.direction,
        "kind": fit.kind,
        "session": fit.session,
        "session_time": fit.session_time,
        "mistakes": fit.mistakes,
    }
    if fit.kind == "data":
        return record | in_json(fit.data)
    return record | {"body": fit.body} | in_json(fit.data) if plaintext else record
