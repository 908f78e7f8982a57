"""A host and a sealed device that speak without a broker."""

import espseal


class Talk:
    """Carries what one publishes to the other.

    Arguments:
        host: the authority.
        device: sealed.
        follower: hears what the host hears.
    """

    def __init__(
        self,
        host: espseal.Receiver,
        device: espseal.Device,
        follower: espseal.Receiver | None = None,
    ) -> None:
        self._host = host
        self._device = device
        self._follower = follower
        self.verdicts: list[espseal.Verdict] = []
        self.followed: list[espseal.Message] = []
        """What the follower says of it."""
        host.reconnected()
        device.reconnected()

    def carry(self) -> None:
        """Until neither has anything to say."""
        while self._to_device() or self._to_host():
            pass

    def ratchet(self, sender: espseal.Sender) -> None:
        """One step of the device's key, asked for and made."""
        self._device.open(sender.ratchet(self._device.name).payload)
        self.carry()

    def _to_device(self) -> int:
        publications = self._host.publications()
        for each in publications:
            if each.topic == self._device.beacon_topic:
                self._device.hear(each.payload)
                if self._follower is not None:
                    self._follower.hear(each.payload, topic=each.topic)
            elif each.topic == self._device.down_topic:
                self._device.open(each.payload)
        return len(publications)

    def _to_host(self) -> int:
        publications = self._device.publications()
        for each in publications:
            message = self._host.open(each.payload, topic=each.topic)
            self.verdicts.append(message.verdict)
            if self._follower is not None:
                self.followed.append(self._follower.open(each.payload, topic=each.topic))
        return len(publications)
