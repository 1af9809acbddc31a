"""The example of the documentation, unchanged, from apply to exact results; every name through cluster DNS."""

import bucket
import pytest
import yaml
from cluster import ROOT, Job
from servers import wait_for


@pytest.fixture
def example(cluster, kafka, gateway):
    manifest = yaml.safe_load((ROOT / "examples" / "bucket-kafka.yaml").read_text())
    kafka.create_topic("reco-events", partitions=bucket.PARTITIONS)
    kafka.create_topic("reco-events-dead")
    job = Job(cluster, manifest, "reco")
    cluster.kubectl("apply", "-f", ROOT / "examples" / "bucket-kafka.yaml")
    yield job
    job.delete()
    for topic in "reco-events", "reco-events-dead":
        kafka.delete_topic(topic)


def sums(gateway):
    names = {"bucket_impressions_total": "impressions", "bucket_clicks_total": "clicks"}
    found = {}
    for (name, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if name in names and labels.get("job") == "home-feed":
            found.setdefault((labels["endpoint"], labels["bucket"]), {})[names[name]] = value
    return found


def test_example(cluster, kafka, gateway, example, kstatus):
    done = cluster.kubectl("-n", "reco", "wait", "--for=condition=Ready", "streamjob/home-feed", "--timeout=90s")
    assert "condition met" in done.stdout
    assert kstatus(example.get()).startswith("Current")
    records, passing = bucket.make_events(20000, seed=1)
    kafka.produce("reco-events", records)
    want = {key: {name: group[name] for name in ("impressions", "clicks")} for key, group in bucket.expected(passing).items()}
    wait_for(lambda: sums(gateway) == want, 150, lambda: f"{want}; the gateway has {sums(gateway)}")

    def told():
        status = example.get()["status"]
        return status.get("lastWindow", {}).get("rows") == len(want) and status.get("lag") == 0 and status

    status = wait_for(told, 150, lambda: f"figures in {example.get()['status']}")
    assert status["rows"]["in"] == 20000 and status["rows"]["filtered"] == 20000 - len(passing)
    assert status["lastPush"] and status["specHash"] == status["runningHash"]
    assert status["replicas"] == status["readyReplicas"] == 1
    columns = cluster.kubectl("-n", "reco", "get", "sj", "home-feed").stdout.split("\n")[0].split("  ")
    assert [column.strip() for column in columns if column] == ["NAME", "READY", "REASON", "PODS", "LAG", "ROWS/S", "BAD%", "LAST WINDOW", "AGE"]
