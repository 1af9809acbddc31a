"""The bucket job: its events, its manifest, and an independent calculation of its results."""

import collections
import json
import math
import os
import random
import uuid

ENDPOINTS = ["home", "search", "cart", "profile"]
BUCKETS = ["control", "a", "b", "c"]
PARTITIONS = 4
ROWS = int(os.environ.get("STREAMJOB_TEST_ROWS", 1_000_000))  # fewer under sanitizers
KILLS = int(os.environ.get("STREAMJOB_TEST_KILLS", 20))

COLUMNS = [
    {"name": "endpoint", "type": "STRING"},
    {"name": "bucket", "type": "STRING"},
    {"name": "event", "type": "STRING"},
    {"name": "latency_ms", "type": "DOUBLE", "path": "$.metrics.latency_ms"},
    {"name": "ts", "type": "TIMESTAMP", "format": "epochMillis"},
]
AGGREGATES = [
    {"name": "impressions", "expr": "COUNT(*) FILTER (WHERE event = 'impression')"},
    {"name": "clicks", "expr": "COUNT(*) FILTER (WHERE event = 'click')"},
    {"name": "latency_sum", "expr": "SUM(latency_ms)"},
    {"name": "p95_ms", "expr": "PERCENTILE(latency_ms, 0.95)"},
]


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def make_events(count, seed=1):
    """(records by partition, list of (endpoint, bucket, event, latency) that pass the filter)."""
    rng = random.Random(seed)
    records = {p: [] for p in range(PARTITIONS)}
    passing = []
    for i in range(count):
        endpoint, bucket = rng.choice(ENDPOINTS), rng.choice(BUCKETS)
        event = rng.choice(["impression", "impression", "impression", "click", "scroll"])
        latency = rng.randint(1, 2000) / 8
        records[i % PARTITIONS].append(
            b'{"ts":%d,"endpoint":"%s","bucket":"%s","event":"%s","user":"u%d","metrics":{"latency_ms":%s}}'
            % (1_700_000_000_000 + i, endpoint.encode(), bucket.encode(), event.encode(), i % 997, repr(latency).encode())
        )
        if event != "scroll":
            passing.append((endpoint, bucket, event, latency))
    return records, passing


def split(records, parts):
    """The records of each partition cut into `parts` runs, one after the other."""
    return [{p: rows[len(rows) * i // parts : len(rows) * (i + 1) // parts] for p, rows in records.items()} for i in range(parts)]


def passing_of(records):
    """Of the records of make_events: (endpoint, bucket, event, latency) of those that pass the filter."""
    rows = (json.loads(record) for run in records.values() for record in run)
    return [(row["endpoint"], row["bucket"], row["event"], row["metrics"]["latency_ms"]) for row in rows if row["event"] != "scroll"]


def expected(passing):
    """{(endpoint, bucket): {impressions, clicks, latency_sum, latencies sorted}}"""
    groups = collections.defaultdict(lambda: {"impressions": 0, "clicks": 0, "latency_sum": 0.0, "latencies": []})
    for endpoint, bucket, event, latency in passing:
        group = groups[endpoint, bucket]
        group["impressions"] += event == "impression"
        group["clicks"] += event == "click"
        group["latency_sum"] += latency
        group["latencies"].append(latency)
    for group in groups.values():
        group["latencies"].sort()
    return dict(groups)


def manifest(name, source, sinks, size="1s", **spec):
    return {
        "apiVersion": "streamjob.dev/v1alpha1",
        "kind": "StreamJob",
        "metadata": {"name": name},
        "spec": {
            "source": source,
            "columns": COLUMNS,
            "filter": "event IN ('impression', 'click')",
            "window": {"tumbling": {"size": size}},
            "groupBy": ["endpoint", "bucket"],
            "aggregates": AGGREGATES,
            "sinks": sinks,
            **spec,
        },
    }


def kafka_source(kafka, topic, **more):
    return {"kafka": {"bootstrapServers": kafka.address, "topic": topic, "startingOffsets": "earliest", **more}}


def pushgateway_sink(gateway, job, **more):
    labels = ["endpoint", "bucket"]
    return {
        "pushgateway": {
            "url": gateway.url,
            "job": job,
            "groupingKey": {"team": "reco"},
            "metrics": [
                {"name": "impressions_total", "type": "counter", "help": "Impressions.", "value": "impressions", "labels": labels},
                {"name": "clicks_total", "type": "counter", "help": "Clicks.", "value": "clicks", "labels": labels},
                {"name": "latency_ms_total", "type": "counter", "help": "Latency.", "value": "latency_sum", "labels": labels},
                {"name": "impressions", "type": "gauge", "help": "Of the window.", "value": "impressions", "labels": labels},
                {"name": "p95_ms", "type": "gauge", "help": "Of the window.", "value": "p95_ms", "labels": labels},
            ],
            **more,
        }
    }


SUMMED = ("impressions", "clicks", "latency_sum")


def sum_rows(rows):
    """Output rows (dicts) of any number of windows, summed by group; a window and group may stand there once only."""
    sums = collections.defaultdict(lambda: dict.fromkeys(SUMMED, 0))
    for row in rows:
        for name in SUMMED:
            sums[row["endpoint"], row["bucket"]][name] += row[name] or 0
    return dict(sums)


def expected_sums(passing):
    return {key: {name: group[name] for name in SUMMED} for key, group in expected(passing).items()}


def gateway_sums(gateway, job):
    names = {"impressions_total": "impressions", "clicks_total": "clicks", "latency_ms_total": "latency_sum"}
    sums = collections.defaultdict(dict)
    for (name, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if name in names and labels.get("job") == job and labels.get("team") == "reco":
            sums[labels["endpoint"], labels["bucket"]][names[name]] = value
    return dict(sums)


def gateway_value(gateway, job, name):
    for (metric, labels), value in gateway.metrics().items():
        if metric == name and dict(labels).get("job") == job:
            return value
    return None


def kafka_rows(kafka, topic):
    return [json.loads(value) for _, value, _ in kafka.consume(topic)]


def file_rows(path):
    """A line that is being written is not there yet."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []


def percentile_within(value, latencies, p, error=0.0101):
    exact = latencies[int(math.floor(p * (len(latencies) - 1)))]
    return abs(value - exact) <= error * exact
