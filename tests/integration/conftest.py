import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bucket import PARTITIONS, ROWS, make_events, unique  # noqa: E402
from servers import FaultyGateway, Kafka, Pushgateway, StreamJob  # noqa: E402


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def events(kafka):
    """A topic with a million events over four partitions, and those that pass the filter."""
    topic = unique("events")
    records, passing = make_events(ROWS)
    kafka.create_topic(topic, PARTITIONS)
    kafka.produce(topic, records)
    return topic, passing


@pytest.fixture
def gateway(tmp_path):
    with Pushgateway(tmp_path) as server:
        yield server


@pytest.fixture
def faulty(gateway):
    with FaultyGateway(gateway) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def no_job_is_left_running():
    yield
    while StreamJob.started:
        StreamJob.started.pop().kill()
