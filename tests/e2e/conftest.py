import functools
import json
import os
import pathlib
import subprocess
import sys
import types

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "integration"))

import bucket  # noqa: E402
from cluster import Cluster, Job  # noqa: E402
from image import Image  # noqa: E402
from servers import Kafka, Pushgateway, wait_for  # noqa: E402

NAMESPACE = "reco"
QUICK = ("--resync=1s", "--figures=5s")  # an hour's resyncs, and its figures, in the time of a test


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """With the operator of manifests/default in it."""
    with Cluster(tmp_path_factory.mktemp("cluster") / "run") as cluster:
        cluster.load("runtime", "operator")
        cluster.install("default", QUICK)
        cluster.operator_ready()
        yield cluster


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """images("runtime"): unpacked, once."""
    return functools.cache(lambda name: Image(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session")
def kafka(cluster, tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka"), pods=cluster.host, users={"job": "right"}) as server:
        cluster.namespace(NAMESPACE)
        cluster.outside(NAMESPACE, "kafka", 9092, server.pods_port)
        cluster.outside(NAMESPACE, "kafka-sasl", 9093, server.sasl_port)
        yield server


@pytest.fixture(scope="session")
def gateway(cluster, tmp_path_factory):
    with Pushgateway(tmp_path_factory.mktemp("gateway"), persistence=True, host=cluster.host) as server:
        cluster.namespace(NAMESPACE)
        cluster.outside(NAMESPACE, "pushgateway", 9091, server.port)
        yield server


@pytest.fixture
def job(request, cluster, kafka, gateway):
    """Makes bucket jobs on topics of their own: job("name", size="1s", …spec); they are deleted when the test ends."""
    made = []

    def make(name, size="1s", namespace=NAMESPACE, partitions=bucket.PARTITIONS, **spec):
        name = bucket.unique(name)
        if partitions:
            kafka.create_topic(name, partitions=partitions)
        inside = types.SimpleNamespace(address="kafka:9092", url="http://pushgateway:9091")
        spec.setdefault("source", bucket.kafka_source(inside, name))
        spec.setdefault("sinks", [bucket.pushgateway_sink(inside, name)])
        spec.setdefault("terminationGracePeriod", "10s")
        one = Job(cluster, bucket.manifest(name, spec.pop("source"), spec.pop("sinks"), size=size, **spec), namespace)
        one.topic = name
        made.append(one)
        return one

    yield make
    for one in made:
        if request.session.testsfailed:
            (cluster.run.parent / f"{one.name}.json").write_text(json.dumps(one.get(), indent=1))
        cluster.kubectl("-n", one.namespace, "delete", "streamjob", one.name, "--ignore-not-found", "--wait=false")


@pytest.fixture
def exact(gateway):
    """Waits until the gateway holds the sums of these events and no others."""

    def check(job, passing, timeout=60):
        want = bucket.expected_sums(passing)
        wait_for(lambda: bucket.gateway_sums(gateway, job.name) == want, timeout, lambda: (
            f"{job.name}: {sum(g['impressions'] for g in want.values())} impressions expected, the gateway has "
            f"{sum(g.get('impressions', 0) for g in bucket.gateway_sums(gateway, job.name).values())}; {job.get()['status']}"))

    return check


def go_program(name):
    """The program of tests/e2e/NAME."""
    built = subprocess.run([HERE / "program.sh", name], check=True, stdout=subprocess.PIPE, text=True, timeout=900)
    return built.stdout.strip()


def output(program, *arguments, **more):
    """What the program prints, given `input` as JSON."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture(scope="session")
def kstatus():
    """What kstatus says of an object: kstatus({...}) == "Current: …"."""
    program = go_program("kstatus")
    return lambda thing: output(program, input=json.dumps(thing))
