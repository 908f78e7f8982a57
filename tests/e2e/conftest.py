"""A broker, and one who hears everything on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import Mosquitto
from support import Probe


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, persistence=True) as broker:
        yield broker


@pytest.fixture
def probe(broker: Mosquitto) -> Iterator[Probe]:
    with Probe(broker) as probe:
        yield probe
