import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import choice  # noqa: E402
from bucket import PARTITIONS, ROWS, make_events, unique  # noqa: E402
from servers import FaultyGateway, Kafka, Pushgateway, StreamJob  # noqa: E402


def pytest_collection_modifyitems(config, items):
    choice.choose(config, items)


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


REPORTS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error: ")


@pytest.fixture(autouse=True)
def no_job_is_left_running_or_reported():
    """Ends what a test left running; what a sanitizer reported fails the test, also where the job was killed."""
    yield
    jobs, StreamJob.started[:] = list(StreamJob.started), []
    for job in jobs:
        if job.process:
            job.kill()
    for job in jobs:
        lines = job.log().splitlines()
        found = next((i for i, line in enumerate(lines) if any(report in line for report in REPORTS)), None)
        assert found is None, "\n".join(lines[found : found + 80])
