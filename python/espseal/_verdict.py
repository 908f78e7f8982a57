"""What a receiver says of a frame: a closed vocabulary."""

from enum import StrEnum


class Verdict(StrEnum):
    """The answer to every frame, in the order in which it is decided.

    Until a frame has verified, its header fields are claims. Only ``FRESH`` carries data.
    """

    MALFORMED = "malformed"
    """It is no frame."""
    WRONG_DIRECTION = "wrong_direction"
    """An uplink where downlinks are expected, or the reverse."""
    UNKNOWN_DEVICE = "unknown_device"
    """A verified node that the keyring does not list."""
    REVOKED = "revoked"
    """The address is revoked."""
    WRONG_EPOCH = "wrong_epoch"
    """Older than the oldest epoch still accepted, or too far ahead."""
    FORGED = "forged"
    """It verifies under no live and no recently expired session: tampered, or a wrong key."""
    STALE_SESSION = "stale_session"
    """It verifies, but under an expired session, or it has none and needs one."""
    DOWNGRADED = "downgraded"
    """A verified classic frame of a device that has already sent a verified sealed one."""
    REPLAYED = "replayed"
    """Verified; its counter lies below the window."""
    DUPLICATE = "duplicate"
    """Verified and accepted before, or an old copy that came as a retained message."""
    FRESH = "fresh"
    """Verified and new."""
