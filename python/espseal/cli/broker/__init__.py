"""The MQTT broker: the options that name it (`options`), and a connection to it (`connection`)."""
