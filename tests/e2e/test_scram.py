"""SCRAM over TLS with Kafka 4, by the image's own program and libraries: source, sink and dead letters."""

import pytest
from bucket import PARTITIONS, expected_sums, kafka_rows, kafka_source, make_events, manifest, sum_rows, unique
from servers import Kafka, StreamJob, wait_for
from servers.broker import SCRAM

WRONG = "a-wrong-password"
BAD = b'{"ts":1700000000000,"endpoint":"home","bucket":"a","event":"click","metrics":{"latency_ms":"slow"}}'


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("broker")) as server:
        yield server


@pytest.fixture(scope="module")
def topic(broker):
    name = unique("events")
    records, passing = make_events(2000, seed=31)
    broker.create_topic(name, PARTITIONS)
    broker.produce(name, records)
    broker.produce(name, {0: [BAD]})
    return name, passing


class ImageJob(StreamJob):
    """The program of the image. The job file and the secrets lie in the image's file system, as a pod has them mounted."""

    def __init__(self, image, folder, manifest, secrets):
        super().__init__(folder, manifest)
        self.image, self.inside = image, f"/{unique('job')}"
        mounted = image.root / self.inside[1:]
        mounted.mkdir()
        (mounted / "job.yaml").write_text(self.manifest.read_text())
        for name, text in secrets.items():
            (mounted / name).parent.mkdir(exist_ok=True)
            (mounted / name).write_text(text)

    def command(self):
        return self.image.command(
            "streamjob", "run", f"{self.inside}/job.yaml", "--secrets", self.inside, "--listen", f"127.0.0.1:{self.port}",
            "--log-level", "debug", *self.args)


@pytest.fixture
def job(images, broker, topic, tmp_path):
    def job(mechanism, password, *args):
        security = {"protocol": "SASL_SSL", "mechanism": mechanism, "credentialsSecretRef": {"name": "user"}, "caSecretRef": {"name": "ca"}}
        client = {"bootstrapServers": broker.sasl_ssl_address, "security": security}
        source = kafka_source(broker, topic[0])
        source["kafka"].update(client)
        out, letters = unique("out"), unique("letters")
        for name in out, letters:
            broker.create_topic(name, 1)
        text = manifest(unique("scram"), source, [{"kafka": {**client, "topic": out}}],
                        format={"json": {"onBadField": "deadLetter"}}, deadLetter={"kafka": {**client, "topic": letters}})
        secrets = {"user/username": broker.user, "user/password": password, "ca/ca.crt": broker.certificates.ca.read_text()}
        made = ImageJob(images("runtime"), tmp_path, text, secrets)
        made.args, made.out, made.letters = list(args), out, letters
        return made

    return job


@pytest.mark.parametrize("mechanism", SCRAM)
def test_scram(broker, topic, job, mechanism):
    works = job(mechanism, broker.password, "--until-idle", "1s")
    assert works.run(60) == 0, works.log()
    assert sum_rows(kafka_rows(broker, works.out)) == expected_sums(topic[1])
    assert [value for _, value, _ in broker.consume(works.letters)] == [BAD]
    assert broker.password not in works.log()


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_wrong_password_is_said(broker, job, mechanism):
    refused = job(mechanism, WRONG).start()
    try:
        wait_for(lambda: "uthentication failed" in refused.get("/readyz")[1], 30, lambda: refused.get("/readyz")[1])
        assert "cannot do SCRAM" not in refused.get("/readyz")[1]
        assert WRONG not in refused.log()
    finally:
        refused.kill()
