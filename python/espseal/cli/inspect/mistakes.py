"""What is wrong with a sealed frame that fits all the same, as sentences."""

from collections.abc import Iterator
from typing import assert_never

from espseal import SealedFit, SealedInspection


def sentences(claims: SealedInspection, fit: SealedFit) -> Iterator[str]:
    """One for each mistake."""
    owner = fit.device or "the device"
    other = "downlink" if claims.direction == "uplink" else "uplink"
    for mistake in fit.mistakes:
        match mistake:
            case "other_epoch":
                yield (
                    f"It says epoch {claims.epoch}, but its key is that of epoch {fit.epoch}: the "
                    "ratchet and the epoch in the header must go on together."
                )
            case "epoch_order":
                yield (
                    f"Its key is that of epoch {fit.epoch}, which stands in the header with its "
                    "last byte first: the epoch is big-endian."
                )
            case "address_order":
                yield (
                    f"Its key is that of {owner}, whose address stands in the header with its last "
                    "byte first: an address goes as it is written."
                )
            case "counter_order":
                yield (
                    f"Its counter stands in the header with its last byte first (it may mean "
                    f"{_reversed(claims.counter)}): counters are big-endian. A receiver that takes "
                    "this one refuses all right ones after it, which are lower."
                )
            case "other_device":
                whose = claims.listed.name if claims.listed else "no device of the keyring"
                yield (
                    f"Its key is that of {owner}, but its address is of {whose}: address and key "
                    "must come out of one provisioning."
                )
            case "former_key":
                yield (
                    f"Its key is what the fleet gives, but the keyring has an own key for {owner}: "
                    f"provision it anew (espseal provision {owner})."
                )
            case "fleet_key":
                yield (
                    "Its key is the fleet's own, from which everybody's keys come: no device may "
                    "hold it. Give each device its own (espseal provision), and make a new fleet."
                )
            case "other_direction":
                yield f"It goes {claims.direction}, but its key is that of the {other} direction."
            case "changed_flags":
                yield (
                    f"Its flags were changed after it was sealed as {fit.direction} {fit.kind}: "
                    "the sender seals before the flags are set, or someone reflected a frame."
                )
            case "session_left_out":
                yield "It says that it is bound to a session, but no session was sealed in."
            case "session_unsaid":
                yield "It says that it is not bound to a session, but one was sealed in."
            case "session_text":
                yield "The 32 hex digits of the session were sealed in: it must be their 16 bytes."
            case "session_zeros":
                yield (
                    "It is bound to 16 zero bytes, which no host publishes: without a session the "
                    "flag must be clear and the session empty."
                )
            case "header_order":
                yield (
                    "The header that was sealed in has numbers in another byte order than the one "
                    "that was sent: seal the very bytes that are sent."
                )
            case "components":
                yield (
                    "S2V must get three components, header, session and context, each on its own; "
                    "an empty one counts, too."
                )
            case "context":
                yield "The topic was sealed in as the context: the context must be empty."
            case "tag_last":
                yield "The tag stands behind the ciphertext: it belongs in front of it."
            case "key_halves":
                yield (
                    "The halves of the key are exchanged: the first one makes the tag, the second "
                    "encrypts."
                )
            case "not_expanded":
                yield (
                    "The device key itself sealed it: the key of a direction is "
                    f'HKDF-Expand(device key, "{claims.direction}").'
                )
            case "whole_counter":
                yield "Bits 31 and 63 of the tag must be cleared before CTR counts from it."
            case _:
                assert_never(mistake)


def _reversed(counter: int) -> int:
    return int.from_bytes(counter.to_bytes(8), "little")
