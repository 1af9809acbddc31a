"""manifests/with-prometheus on the cluster: with the real Prometheus Operator's CRDs, its program, and a Prometheus that scrapes
what its configuration selects."""

import json
import time

import bucket
import pytest
from cluster import ROOT, SYSTEM
from conftest import QUICK
from monitoring import NAME, NAMESPACE, Prometheus, PrometheusOperator, crds
from servers import wait_for

DASHBOARD = json.loads((ROOT / "manifests/with-prometheus/streamjob.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def prometheus(cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    cluster.kubectl("apply", "--server-side", "-f", crds())
    cluster.kubectl("wait", "--for=condition=Established", "crd/podmonitors.monitoring.coreos.com", "crd/prometheusrules.monitoring.coreos.com",
                    "crd/prometheuses.monitoring.coreos.com", "--timeout=60s")
    cluster.install("with-prometheus", QUICK)
    cluster.operator_ready()
    with PrometheusOperator(folder, cluster):
        prometheus = Prometheus(folder, cluster)
        prometheus.install()
        with prometheus:
            yield prometheus
    cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def rules(prometheus):
    return [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]


@pytest.fixture
def running(kafka, job, prometheus):
    """A job through which data flows, without an end."""
    one = job("scraped")
    one.apply()
    one.ready()
    prometheus.discover()
    kafka.produce(one.topic, bucket.make_events(2000, seed=7)[0])
    return one


def seen(prometheus, expression, timeout=60):
    """What the expression returns, once it returns something."""
    return wait_for(lambda: prometheus.query(expression), timeout, lambda: (
        f"series of {expression}; targets: {[(t['labels'], t['health'], t['lastError']) for t in prometheus.get('targets')['activeTargets']]}"))


def test_the_objects_are_accepted_as_they_are(cluster, prometheus):
    """Nothing of them is unknown to the CRDs: a strict apply again says so, and changes nothing."""
    text = cluster.kubectl("kustomize", ROOT / "manifests/with-prometheus").stdout
    kinds = "podmonitors,prometheusrules"
    versions = lambda: [(o["kind"], o["metadata"]["name"], o["metadata"]["resourceVersion"]) for o in cluster.items(kinds, SYSTEM)]  # noqa: E731
    before = versions()
    assert [(kind, name) for kind, name, _ in before] == [
        ("PodMonitor", "streamjob-jobs"), ("PodMonitor", "streamjob-operator"), ("PrometheusRule", "streamjob")]
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-", input=text)
    assert versions() == before
    cluster.operator_args(*QUICK)
    cluster.operator_ready()
    board = cluster.get("configmap", "streamjob-dashboard", SYSTEM)
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1" and json.loads(board["data"]["streamjob.json"]) == DASHBOARD


def test_pods_are_scraped(cluster, prometheus, running):
    """Through the labels and ports of the PodMonitors; a job's figures have its name."""
    seen(prometheus, f'up{{job="{SYSTEM}/streamjob-operator"}} == 1')
    (series,) = seen(prometheus, f'up{{streamjob="{running.name}"}} == 1')
    assert series[0]["namespace"] == running.namespace and series[0]["pod"] == running.pod()["metadata"]["name"]
    seen(prometheus, f'streamjob_rows_in_total{{namespace="{running.namespace}",streamjob="{running.name}"}} >= 2000')
    seen(prometheus, f'streamjob_job_ready{{namespace="{running.namespace}",name="{running.name}"}} == 1')


def test_a_job_lets_the_operators_prometheus_in(cluster, prometheus, running):
    """The NetworkPolicy's labels are those that the Prometheus Operator gives its pods; the cluster here enforces none."""
    labels = cluster.get("statefulset", f"prometheus-{NAME}", NAMESPACE)["spec"]["template"]["metadata"]["labels"]
    (policy,) = running.children("networkpolicies")
    (rule,) = policy["spec"]["ingress"]
    (port,) = rule["ports"]
    (own,) = running.pod()["spec"]["containers"][0]["ports"]
    assert port["port"] in (own["containerPort"], own["name"])
    open_to = [peer for peer in rule["from"] if peer.get("namespaceSelector") == {}
               and peer["podSelector"]["matchLabels"].items() <= labels.items()]
    assert open_to, (rule["from"], labels)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_panel_shows_the_job(prometheus, running, expression):
    for variable, value in {"$namespace": running.namespace, "$job": running.name, "$__rate_interval": "10s"}.items():
        expression = expression.replace(variable, value)
    series = seen(prometheus, expression)
    if "streamjob_" in expression:
        assert {labels.get("streamjob", labels.get("name")) for labels, _ in series} == {running.name}


def test_rules_are_evaluated(prometheus, rules):
    shipped = {rule["name"] for rule in rules}
    assert "StreamJobNotReady" in shipped and len(shipped) >= 8
    wait_for(lambda: all(rule["health"] == "ok" for group in prometheus.get("rules")["groups"] for rule in group["rules"]), 30,
             lambda: prometheus.get("rules"))


def test_an_alert_fires_and_goes(kafka, gateway, prometheus, running):
    """Its wait is shortened to a second; its expression is the one that is shipped."""
    alert = f'ALERTS{{alertname="StreamJobNotReady",namespace="{running.namespace}",name="{running.name}"}}'
    seen(prometheus, f'streamjob_job_ready{{name="{running.name}"}} == 1')
    wait_for(lambda: not prometheus.query(alert), 30, lambda: prometheus.query(alert))
    gateway.stop()
    try:
        kafka.produce(running.topic, bucket.make_events(2000, seed=8)[0])
        seen(prometheus, alert.replace("{", '{alertstate="firing",severity="critical",'))
    finally:
        gateway.start()
    running.ready()
    wait_for(lambda: not prometheus.query(alert), 60, lambda: prometheus.query(alert))


def test_no_alert_of_the_operators_absence(prometheus):
    time.sleep(2)
    assert not prometheus.query('ALERTS{alertname="StreamJobOperatorAbsent",alertstate="firing"}')
