import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from servers import Kafka, Pushgateway  # noqa: E402


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def gateway(tmp_path):
    with Pushgateway(tmp_path) as server:
        yield server
