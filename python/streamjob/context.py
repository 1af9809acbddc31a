"""What open() gets: job parameters, and a metric group whose counters and gauges appear on the job's /metrics.

The worker reads `Metrics.samples()` after open() and after each batch; names are checked here, so that what a function
registers is always valid in the Prometheus text format: other names are mapped to valid ones, which is said once.
"""

import re
import sys

SAMPLES_MAX = 1000  # of one function: more are refused when they are registered


class Counter:
    def __init__(self):
        self._count = 0

    def inc(self, n=1):
        self._count += n

    def dec(self, n=1):
        self._count -= n

    def get_count(self):
        return self._count

    _value = get_count


class Meter(Counter):
    """Counts events; the rate is Prometheus's to compute."""

    def mark_event(self, value=1):
        self._count += value


class Distribution:
    """Of whole numbers: sum, count, least and greatest."""

    def __init__(self):
        self.sum = self.count = 0
        self.min = self.max = None

    def update(self, value):
        self.sum += value
        self.count += 1
        self.min = value if self.min is None or value < self.min else self.min
        self.max = value if self.max is None or value > self.max else self.max


class Metrics:
    """Every metric of one function."""

    def __init__(self):
        self._all = {}  # (name, labels) -> (type, metric)
        self._legal = {}  # name -> as it is written
        self._taken = set()

    def legal(self, name):
        """The name as Prometheus can have it; two that would be one stay two."""
        if name in self._legal:
            return self._legal[name]
        plain = re.sub(r"[^a-zA-Z0-9_]", "_", name) or "_"
        plain = plain if not plain[0].isdigit() else "_" + plain
        found, number = plain, 2
        while found in self._taken:
            found, number = f"{plain}_{number}", number + 1
        if found != name:
            print(f"the metric name {name!r} is written as {found}: letters, digits and _ are what Prometheus has", file=sys.stderr)
        self._legal[name] = found
        self._taken.add(found)
        return found

    def register(self, name, labels, kind, metric):
        name = self.legal(name)
        if len(self._all) >= SAMPLES_MAX:
            raise ValueError(f"more than {SAMPLES_MAX} metrics in one function")
        return self._all.setdefault((name, labels), (kind, metric))[1]

    def samples(self):
        """[(name, "counter" | "gauge", ((label, value), …), number)]; a gauge that raises or gives no number is left out."""
        found = []
        for (name, labels), (kind, metric) in self._all.items():
            if isinstance(metric, Distribution):
                parts = (("sum", metric.sum), ("count", metric.count), ("min", metric.min), ("max", metric.max))
                found += [
                    (f"{name}_{part}", "counter" if part in ("sum", "count") else "gauge", labels, float(value))
                    for part, value in parts
                    if value is not None
                ]
                continue
            try:
                found.append((name, kind, labels, float(metric() if callable(metric) else metric._value())))
            except Exception:  # a gauge is the user's code
                continue
        return found


class MetricGroup:
    def __init__(self, metrics, scope=(), labels=()):
        self._metrics, self._scope, self._labels = metrics, scope, labels

    def add_group(self, name, extra=None):
        """A group whose name stands before its metrics' names; with `extra`, a label instead."""
        if extra is None:
            return MetricGroup(self._metrics, (*self._scope, name), self._labels)
        return MetricGroup(self._metrics, self._scope, (*self._labels, (self._metrics.legal(name), str(extra))))

    def _register(self, name, kind, metric):
        return self._metrics.register("_".join((*self._scope, name)), self._labels, kind, metric)

    def counter(self, name):
        return self._register(name, "counter", Counter())

    def gauge(self, name, obj):
        if not callable(obj):
            raise TypeError(f"gauge {name}: a function without arguments that returns a number, not {obj!r}")
        self._register(name, "gauge", obj)

    def meter(self, name, time_span_in_seconds=60):
        del time_span_in_seconds  # PyFlink's window of the rate
        return self._register(name, "counter", Meter())

    def distribution(self, name):
        return self._register(name, "gauge", Distribution())


class FunctionContext:
    def __init__(self, metrics, job_parameters=None):
        self._group, self._parameters = MetricGroup(metrics), dict(job_parameters or {})

    def get_metric_group(self):
        return self._group

    def get_job_parameter(self, key, default_value=None):
        return self._parameters.get(key, default_value)

    def _no_subtasks(self):
        raise RuntimeError("a function here does not know which of Flink's subtasks it is: there are none; rows come to it in any lane")

    get_task_name = get_task_name_with_subtasks = get_number_of_parallel_subtasks = _no_subtasks
    get_max_number_of_parallel_subtasks = get_index_of_this_subtask = get_attempt_number = _no_subtasks
