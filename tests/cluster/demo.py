#!/usr/bin/python3
"""The whole thing on this machine: a cluster, a Kafka, a Pushgateway, the operator, the example; then what a user sees.

The cluster is the one of `make cluster` and stays up; Kafka and the Pushgateway run until Ctrl-C, or for DEMO_SECONDS.
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "e2e")]

import bucket  # noqa: E402
from cluster import LAB, Cluster  # noqa: E402
from servers import CACHE, Kafka, Pushgateway, wait_for  # noqa: E402

WINDOW = "10s"  # the example's minute is long for a demonstration


def say(text):
    print(f"\n\033[1m# {text}\033[0m", flush=True)


def produce(kafka, ended):
    rng = random.Random()
    while not ended.wait(0.5):
        records, _ = bucket.make_events(500, seed=rng.random())
        kafka.produce("reco-events", records)


def show(cluster, gateway):
    say("kubectl -n reco get sj -w")
    watch = subprocess.Popen(["kubectl", "-n", "reco", "get", "sj", "-w"], env=cluster.env)
    try:
        cluster.kubectl("-n", "reco", "wait", "--for=condition=Ready", "sj/home-feed", "--timeout=120s", timeout=130)
        wait_for(lambda: any(name == "bucket_ctr" for name, _ in gateway.metrics()), 60, "a window at the gateway")
    finally:
        watch.terminate()
        watch.wait()
    say(f"curl {gateway.url}/metrics | grep bucket_")
    for (name, labels), value in sorted(gateway.metrics().items(), key=str):
        if name.startswith("bucket_") and dict(labels).get("endpoint") == "home":
            print(f"{name}{{{','.join(f'{k}={v}' for k, v in sorted(labels))}}} {value:g}")


def main():
    run = pathlib.Path(os.environ.get("RUN", CACHE / "cluster"))
    up = subprocess.run([LAB / "alive.sh"], env={**os.environ, "RUN": str(run)}).returncode == 0
    say(f"a Kubernetes cluster, {'up already' if up else 'from its sources the first time'}: {run}")
    if not up:
        subprocess.run([LAB / "up.sh"], env={**os.environ, "RUN": str(run)}, check=True)
    os.environ["E2E_RUN"] = str(run)
    ended = threading.Event()
    with tempfile.TemporaryDirectory() as folder, Cluster(run) as cluster:
        say("the images and the operator")
        cluster.load("runtime", "operator")
        cluster.install("default")
        cluster.operator_ready()
        with Kafka(folder, pods=cluster.host) as kafka, Pushgateway(folder, host=cluster.host) as gateway:
            cluster.namespace("reco")
            cluster.outside("reco", "kafka", 9092, kafka.pods_port)
            cluster.outside("reco", "pushgateway", 9091, gateway.port)
            for topic in "reco-events", "reco-events-dead":
                kafka.create_topic(topic, partitions=bucket.PARTITIONS)
            producer = threading.Thread(target=produce, args=(kafka, ended), daemon=True)
            producer.start()
            say(f"examples/bucket-kafka.yaml, with windows of {WINDOW}")
            example = yaml.safe_load((ROOT / "examples" / "bucket-kafka.yaml").read_text())
            example["spec"]["window"]["tumbling"]["size"] = WINDOW
            cluster.apply(example)
            try:
                show(cluster, gateway)
                say(f"Look around: . {run}/env; kubectl -n reco describe sj home-feed. Ctrl-C ends Kafka and the "
                    "Pushgateway, `make cluster-down` the cluster.")
                ended.wait(float(os.environ.get("DEMO_SECONDS", "inf")) if "DEMO_SECONDS" in os.environ else None)
            except KeyboardInterrupt:
                pass
            finally:
                ended.set()
                producer.join(10)
                cluster.kubectl("-n", "reco", "delete", "sj", "home-feed", "--ignore-not-found", check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
