"""TLS and SASL settings reach librdkafka: real listeners, an authority of the test's own, credentials from mounted files."""

import shutil

import pytest

from bucket import COLUMNS, PARTITIONS, expected_sums, file_rows, kafka_rows, kafka_source, make_events, manifest, sum_rows, unique
from servers import StreamJob, wait_for
from servers.certificates import Certificates

WRONG = "a-wrong-password"


@pytest.fixture(scope="module")
def topic(kafka):
    name = unique("events")
    records, passing = make_events(2000, seed=31)
    kafka.create_topic(name, PARTITIONS)
    kafka.produce(name, records)
    return name, passing


@pytest.fixture(scope="module")
def secrets(kafka, tmp_path_factory):
    """Secrets as a kubelet mounts them: <name>/<key>."""
    folder = tmp_path_factory.mktemp("secrets")
    certificate, key = kafka.certificates.issue("client")
    contents = {
        "credentials": {"username": kafka.user + "\n", "password": kafka.password + "\n"},
        "wrong-password": {"username": kafka.user, "password": WRONG},
        "ca": {"ca.crt": kafka.certificates.ca.read_text()},
        "another-ca": {"ca.crt": Certificates(folder / "another").ca.read_text()},
        "client": {"tls.crt": certificate.read_text(), "tls.key": key.read_text()},
    }
    for name, keys in contents.items():
        (folder / name).mkdir()
        for file, text in keys.items():
            (folder / name / file).write_text(text)
    return folder


def sasl(mechanism, credentials="credentials", ca="ca"):
    return {"protocol": "SASL_SSL", "mechanism": mechanism, "credentialsSecretRef": {"name": credentials}, "caSecretRef": {"name": ca}}


def tls(**more):
    return {"protocol": "SSL", "caSecretRef": {"name": "ca"}, **more}


def client(kafka, security, **more):
    address = kafka.mutual_address if security["protocol"] == "SSL" else kafka.sasl_ssl_address
    return {"bootstrapServers": address, "security": security, **more}


def job_of(kafka, topic, secrets, tmp_path, security, args=(), sinks=(), properties=None, **spec):
    source = kafka_source(kafka, topic, properties=properties or {})
    source["kafka"].update(client(kafka, security))
    out = {"file": {"path": str(tmp_path / "rows.jsonl")}}
    text = manifest(unique("secure"), source, [out, *sinks], **spec)
    return StreamJob(tmp_path, text, args=["--secrets", str(secrets), "--log-level", "debug", *args])


WORKING = [  # SCRAM: docs/decisions/scram.md
    ("PLAIN", sasl("PLAIN")),
    ("a client's certificate", tls(clientCertificateSecretRef={"name": "client"})),
]


@pytest.mark.parametrize("security", [row[1] for row in WORKING], ids=[row[0] for row in WORKING])
def test_dead_letters_through_a_secured_listener(kafka, topic, secrets, tmp_path, security):
    letters = unique("letters")
    kafka.create_topic(letters, 1)
    columns = [{**column, "type": "BIGINT"} if column["name"] == "bucket" else column for column in COLUMNS]
    job = job_of(
        kafka, topic[0], secrets, tmp_path, security, ["--until-idle", "1s"],
        columns=columns, format={"json": {"onBadField": "deadLetter"}},
        deadLetter={"kafka": client(kafka, security, topic=letters)},
    )
    assert job.run(60) == 0, job.log()
    assert len(kafka.consume(letters)) == 2000  # no bucket is a number
    secret_free(kafka, job)


@pytest.mark.parametrize("security", [row[1] for row in WORKING], ids=[row[0] for row in WORKING])
def test_windows_through_a_secured_listener(kafka, topic, secrets, tmp_path, security):
    name, passing = topic
    out = unique("out")
    kafka.create_topic(out, 1)
    job = job_of(
        kafka, name, secrets, tmp_path, security, ["--until-idle", "1s"], sinks=[{"kafka": client(kafka, security, topic=out)}],
        properties={"queued.max.messages.kbytes": "1"},  # each batch wakes the brokers' threads
    )
    assert job.run(60) == 0, job.log()
    assert sum_rows(file_rows(tmp_path / "rows.jsonl")) == expected_sums(passing)
    assert sum_rows(kafka_rows(kafka, out)) == expected_sums(passing)
    secret_free(kafka, job)


def secret_free(kafka, job):
    assert kafka.password not in job.log() and WRONG not in job.log()


REFUSED = [
    ("SCRAM on a strict broker", sasl("SCRAM-SHA-512"), "cannot do SCRAM with Kafka 4.0"),
    ("wrong password, PLAIN", sasl("PLAIN", credentials="wrong-password"), "uthentication"),
    ("another authority", sasl("PLAIN", ca="another-ca"), "certificate verify failed"),
    ("no client certificate", tls(), "certificate"),
]


def test_what_is_wrong_is_said(kafka, topic, secrets, tmp_path):
    """It may be mended while the job waits (a secret is rotated), so it waits and says why."""
    jobs = []
    for number, (name, security, words) in enumerate(REFUSED):
        folder = tmp_path / str(number)
        folder.mkdir()
        jobs.append((name, words, job_of(kafka, topic[0], secrets, folder, security).start()))
    for name, words, job in jobs:
        try:
            wait_for(lambda: words in job.get("/readyz")[1], 60, words)
        except TimeoutError:
            raise AssertionError(f"{name}: {job.get('/readyz')[1]}")
        status = job.status()
        assert words in status["notReadyReason"] and status["phase"] == "connecting", name
        assert kafka.password not in str(status) and WRONG not in str(status), name
        job.process.terminate()
    for name, words, job in jobs:
        assert job.wait(30) == 0, (name, job.log())
        secret_free(kafka, job)


MENDED = [
    ("password", "credentials", {"username": "job-user", "password": WRONG}),
    ("authority", "ca", None),
]


@pytest.mark.parametrize("what, name, wrong", MENDED, ids=[row[0] for row in MENDED])
def test_a_mended_secret_is_taken_without_a_restart(kafka, topic, secrets, tmp_path, what, name, wrong):
    mounted = tmp_path / "mounted"
    shutil.copytree(secrets, mounted)
    for key, text in (wrong or {"ca.crt": (secrets / "another-ca/ca.crt").read_text()}).items():
        (mounted / name / key).write_text(text)
    job = job_of(kafka, topic[0], mounted, tmp_path, sasl("PLAIN"), size="300ms").start()
    wait_for(lambda: "last error" in job.get("/readyz")[1], 60, "the fault is said")
    shutil.copytree(secrets / name, mounted / name, dirs_exist_ok=True)
    wait_for(lambda: sum_rows(file_rows(tmp_path / "rows.jsonl")) == expected_sums(topic[1]), 60, "every event")
    job.stop()
    assert job.process.returncode == 0, job.log()
    secret_free(kafka, job)


def test_a_secret_that_is_not_mounted_fails_and_names_the_file(kafka, topic, secrets, tmp_path):
    job = job_of(kafka, topic[0], secrets, tmp_path, sasl("PLAIN", credentials="absent"))
    assert job.run(60) == 1
    assert f"{secrets}/absent/username" in job.log() and "--secrets" in job.log()


@pytest.mark.parametrize("where", ["sink", "dead letter"])
def test_a_secret_of_an_output_that_is_not_mounted_fails_too(kafka, topic, secrets, tmp_path, where):
    out = unique("out")
    kafka.create_topic(out, 1)
    target = {"kafka": client(kafka, sasl("PLAIN", credentials="absent"), topic=out)}
    more = {"sinks": [target]} if where == "sink" else {"deadLetter": target}
    job = job_of(kafka, topic[0], secrets, tmp_path, sasl("PLAIN"), **more)
    assert job.run(60) == 1
    assert f"{secrets}/absent/username" in job.log()


def test_properties_reach_the_client(kafka, topic, secrets, tmp_path):
    """One that librdkafka does not know is refused by name; one that it knows is in use."""
    source = kafka_source(kafka, topic[0], properties={"no.such.property": "1"})
    job = StreamJob(tmp_path, manifest(unique("properties"), source, [{"stdout": {}}]), name="unknown")
    assert job.run(60) == 1 and "no.such.property" in job.log()
    source = kafka_source(kafka, topic[0], properties={"client.id": "my-client", "debug": "conf"})
    job = StreamJob(tmp_path, manifest(unique("properties"), source, [{"stdout": {}}]), args=["--until-idle", "1s", "--log-level", "debug"], name="known")
    assert job.run(60) == 0 and "my-client" in job.log()
