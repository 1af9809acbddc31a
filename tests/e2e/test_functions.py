"""User functions in the cluster: exact results of Python aggregates, and what bad ones cost: their own job's readiness."""

import collections
import json
import time

import bucket
from load import Load
from servers import wait_for

METRICS = '''
from pyflink.common import Row
from pyflink.table import AggregateFunction, DataTypes, TableAggregateFunction


class Total(AggregateFunction):
    def create_accumulator(self):
        return Row(0.0, 0)

    def accumulate(self, accumulator, latency_ms):
        accumulator[0] += latency_ms
        accumulator[1] += 1

    def merge(self, accumulator, accumulators):
        for other in accumulators:
            accumulator[0] += other[0]
            accumulator[1] += other[1]

    def get_value(self, accumulator):
        return accumulator[0]

    def get_result_type(self):
        return DataTypes.DOUBLE()


class Top2(TableAggregateFunction):
    def create_accumulator(self):
        return []

    def accumulate(self, accumulator, latency_ms):
        accumulator.append(latency_ms)
        accumulator.sort(reverse=True)
        del accumulator[2:]

    def merge(self, accumulator, accumulators):
        for other in accumulators:
            for latency_ms in other:
                self.accumulate(accumulator, latency_ms)

    def emit_value(self, accumulator):
        for rank, latency_ms in enumerate(accumulator, 1):
            yield latency_ms, str(rank)

    def get_result_type(self):
        return DataTypes.ROW([DataTypes.FIELD("value", DataTypes.DOUBLE()), DataTypes.FIELD("rank", DataTypes.STRING())])
'''
LABELS = ["endpoint", "bucket", "rank"]


def function(name, kind, entrypoint, text, **more):
    return {"name": name, "kind": kind, "language": "python", "entrypoint": entrypoint, "code": {"inline": text}, **more}


def gauges(gateway, job):
    """{(endpoint, bucket, rank): {metric: value}}"""
    found = collections.defaultdict(dict)
    for (name, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if labels.get("job") == job and "rank" in labels:
            found[tuple(labels[key] for key in LABELS)][name] = value
    return dict(found)


def test_bucket_job_with_python_aggregate_and_table_aggregate(kafka, gateway, job):
    """A window that only the drain closes, so that its one PUT holds every event."""
    one = job("python", size="24h")
    one.apply(
        functions=[function("total", "aggregate", "metrics:Total", METRICS), function("top2", "tableAggregate", "metrics:Top2", METRICS)],
        aggregates=[{"name": "n", "expr": "COUNT(*)"}, {"name": "total_ms", "expr": "total(latency_ms)"},
                    {"expr": "top2(latency_ms)", "columns": ["value", "rank"]}],
        sinks=[{"pushgateway": {
            "url": "http://pushgateway:9091", "job": one.name,
            "metrics": [{"name": f"python_{value}", "type": "gauge", "help": "Of the window.", "value": value, "labels": LABELS}
                        for value in ("n", "total_ms", "value")],
        }}],
    )
    seen = one.ready()
    assert seen["FunctionsHealthy"]["status"] == "True"
    records, passing = bucket.make_events(20000, seed=31)
    kafka.produce(one.topic, records)
    wait_for(lambda: one.get()["status"].get("rows", {}).get("in") == 20000, 90, lambda: one.get()["status"])
    one.apply(suspend=True)
    want = {}
    for (endpoint, name), group in bucket.expected(passing).items():
        for rank, latency in enumerate(reversed(group["latencies"][-2:]), 1):
            want[endpoint, name, str(rank)] = {
                "python_n": len(group["latencies"]), "python_total_ms": group["latency_sum"], "python_value": latency}
    wait_for(lambda: gauges(gateway, one.name) == want, 60, lambda: f"{want}; the gateway has {gauges(gateway, one.name)}")
    assert bucket.gateway_value(gateway, one.name, "streamjob_window_sequence") == 1


VERSION = """
from pyflink.table import AggregateFunction, DataTypes


class Version(AggregateFunction):
    def create_accumulator(self):
        return [0]

    def accumulate(self, accumulator, latency_ms):
        pass

    def merge(self, accumulator, accumulators):
        pass

    def get_value(self, accumulator):
        return {version}

    def get_result_type(self):
        return DataTypes.DOUBLE()
"""


def test_code_in_a_config_map(cluster, kafka, gateway, job, exact):
    """Code that changes replaces the pod, without a row lost or counted twice; a note on its ConfigMap, or that it is gone for
    a while, does not."""
    one = job("code")
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one.name, "namespace": one.namespace}}

    def write(version):
        cluster.apply({**code, "data": {"version.py": VERSION.format(version=version)}})

    def flows(version):
        wait_for(lambda: bucket.gateway_value(gateway, one.name, "code_version") == version, 60, lambda: (
            f"code_version {version}; it is {bucket.gateway_value(gateway, one.name, 'code_version')}; {one.get()['status']}"))

    (sink,) = one.manifest["spec"]["sinks"]
    sink["pushgateway"]["metrics"].append(
        {"name": "code_version", "type": "gauge", "help": "Of the code.", "value": "version", "labels": ["endpoint", "bucket"]})
    write(1.5)
    one.apply(
        functions=[{"name": "version", "kind": "aggregate", "language": "python", "entrypoint": "version:Version",
                    "code": {"configMapRef": {"name": one.name, "key": "version.py"}}}],
        aggregates=[*bucket.AGGREGATES, {"name": "version", "expr": "version(latency_ms)"}])
    one.ready()
    with Load(kafka, one.topic) as load:
        flows(1.5)
        write(2.5)
        flows(2.5)
        pod = one.pod()["metadata"]["uid"]
        cluster.kubectl("-n", one.namespace, "annotate", "configmap", one.name, "example.com/team=blue")
        cluster.kubectl("-n", one.namespace, "delete", "configmap", one.name)
        time.sleep(3)
        write(2.5)
        time.sleep(3)
        assert one.pod()["metadata"]["uid"] == pod
    exact(one, load.passing)
    one.ready()
    assert cluster.get("streamjob", one.name, one.namespace)["status"]["rows"]["bad"] == 0


GOOD_ACCUMULATE = "accumulator[0] += latency_ms\n"
GOOD_VALUE = "return accumulator[0]\n"
WORDS = "no value today"  # what is raised may have values of rows in it: not in a cluster
# Of the table in docs/worker.md: what stands before the good code, and what the status must name, by when.
BAD = {
    "hangs": (GOOD_ACCUMULATE, "import time; time.sleep(1e6)", ("function total, accumulate", "did not come back within timeout", "2000 ms")),
    "crashes": (GOOD_ACCUMULATE, "import ctypes; ctypes.string_at(0)", ("function total, accumulate", "Segmentation fault")),
    "eats": (GOOD_ACCUMULATE, "[bytearray(1 << 20) for _ in range(4000)]", ("function total, accumulate", "needs more than its memory")),
    "raises": (GOOD_VALUE, f"raise ValueError('{WORDS}')", ("an exception in get_value; spec.showValues shows it",)),
    "loads-not": ("class Total(", "import nowhere_to_be_found", ("function total, import", "No module named 'nowhere_to_be_found'")),
}
NAMED_SECONDS = 60  # the status names it after 2 s, its roll-out and what else the machine does included


def bad_code(place, deed):
    at = METRICS.index(place)
    indent = METRICS[METRICS.rindex("\n", 0, at) + 1 : at]
    return METRICS[:at] + deed + "\n" + indent + METRICS[at:]


def test_bad_functions_are_named_and_cost_only_their_jobs(kafka, job, exact):
    """Five at once, beside a job without: each is named, and mended code goes on from where its job was."""
    aggregates = [*bucket.AGGREGATES, {"name": "total_ms", "expr": "total(latency_ms)"}]
    other, jobs = job("other"), {case: job(case) for case in BAD}
    other.apply()
    for case, one in jobs.items():
        code = bad_code(*BAD[case][:2])
        one.apply(functions=[function("total", "aggregate", "metrics:Total", code, timeout="2s", memory="64Mi")], aggregates=aggregates)
    records, passing = bucket.make_events(2000, seed=32)
    for one in [other, *jobs.values()]:
        if one is not jobs["loads-not"]:
            one.ready()
        kafka.produce(one.topic, records)
    for case, one in jobs.items():
        words = BAD[case][2]
        seen = one.shows(NAMED_SECONDS, Ready=("False", "FunctionFailing"), FunctionsHealthy=("False", "FunctionFailing", words[0]))
        message = seen["FunctionsHealthy"]["message"]
        assert all(word in message for word in words), message
    assert jobs["loads-not"].shows(NAMED_SECONDS, Stalled="True", Reconciling="False")
    log = jobs["raises"].cluster.kubectl("-n", jobs["raises"].namespace, "logs", jobs["raises"].pod()["metadata"]["name"]).stdout
    assert "a function failed" in log and WORDS not in log + json.dumps(jobs["raises"].get()["status"])
    exact(other, passing)
    other.ready()
    for one in jobs.values():
        one.apply(functions=[function("total", "aggregate", "metrics:Total", METRICS)])
    for one in jobs.values():
        one.ready()
        exact(one, passing)
        assert one.shows(15, FunctionsHealthy="True", Stalled="False")
