"""A sealed device that is a Linux computer: it sends its load, and takes commands.

    python examples/linux_device.py device.json

The file is what `espseal provision --format json` writes for a device; the broker that it names is
used. The state of the device is kept beside it. Start the program that receives first or later.
"""

import argparse
import contextlib
import os
import threading
import time

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

import espseal


def main() -> None:
    """Connects, and sends a reading every few seconds until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Is a sealed device.")
    parser.add_argument("file", help="what the device was provisioned with, like device.json")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two readings")
    options = parser.parse_args()

    device = espseal.Device.load(options.file)
    something_came = threading.Event()

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe([(topic, 1) for topic in device.subscriptions])
        device.reconnected()
        something_came.set()

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == device.beacon_topic:
            device.hear(message.payload)
        elif (command := device.open(message.payload)).data is not None:
            print(f"command: {command.text}", flush=True)
        something_came.set()

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = on_connect
    client.on_message = on_message
    if device.mqtt_user is not None:
        client.username_pw_set(device.mqtt_user, device.mqtt_password)
    client.connect(device.mqtt_host or "localhost", device.mqtt_port or 1883)
    client.loop_start()

    next_reading = time.monotonic()
    while True:
        wait = next_reading - time.monotonic()
        if wait <= 0:
            device.send(f"{os.getloadavg()[0]:.2f}")
            next_reading += options.every
        elif client.is_connected():
            # Acknowledgements, hellos, and readings as soon as the host has welcomed the device.
            for publication in device.publications():
                client.publish(publication.topic, publication.payload, publication.qos)
            due = device.next_due()
            something_came.wait(wait if due is None else min(wait, due))
            something_came.clear()
        else:
            something_came.wait(wait)
            something_came.clear()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
