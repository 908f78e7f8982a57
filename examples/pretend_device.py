"""A device that runs on this computer: it seals a reading every few seconds and publishes it.

    python examples/pretend_device.py kitchen sensors/kitchen

Its keys come out of the keyring ($ESPSEAL_KEYRING, or the one in ~/.config/espseal), so it is
the device of that name. Start the program that receives first: it publishes the session IDs.
"""

import argparse
import contextlib
import itertools
import os
import time

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

import espseal


def main() -> None:
    """Connects, and publishes until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Pretends to be a device of the keyring.")
    parser.add_argument("name", help="its name in the keyring, like kitchen")
    parser.add_argument("topic", help="where it publishes, like sensors/kitchen")
    parser.add_argument("--host", default="localhost", help="the broker (default: localhost)")
    parser.add_argument("--port", type=int, default=1883, help="its port (default: 1883)")
    parser.add_argument("--user", help="for a broker with passwords; $MQTT_PASSWORD has the other")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two readings")
    options = parser.parse_args()

    device = espseal.Device.from_keyring(espseal.Keyring.load(), options.name)

    def on_connect(client: Client, *_: object) -> None:
        # Session IDs are retained: the current one is there as soon as the subscription is.
        client.subscribe(device.session_topic or "")

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        device.hear(message.payload)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = on_connect
    client.on_message = on_message
    if options.user is not None:
        client.username_pw_set(options.user, os.environ.get("MQTT_PASSWORD"))
    client.connect(options.host, options.port)
    client.loop_start()

    for count in itertools.count():
        time.sleep(options.every)
        reading = f"{20 + count % 50 / 10:.1f}"
        try:
            frame = device.seal(reading)
        except espseal.SessionError as error:
            print(error)
            continue
        client.publish(options.topic, frame, qos=1)
        print(f"sent {reading}, sealed: {len(frame)} bytes")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
