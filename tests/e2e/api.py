"""Reads of the cluster's objects by a connection that is kept: a test polls, and a kubectl a poll would cost more than the cluster."""

import http.client
import json
import ssl
import threading
import urllib.parse

GROUPS = {
    "api/v1": ("configmaps", "events", "namespaces", "pods", "secrets", "serviceaccounts", "services"),
    "apis/apps/v1": ("deployments", "statefulsets"),
    "apis/coordination.k8s.io/v1": ("leases",),
    "apis/events.k8s.io/v1": ("events.events.k8s.io",),
    "apis/monitoring.coreos.com/v1": ("podmonitors", "prometheusrules"),
    "apis/networking.k8s.io/v1": ("networkpolicies",),
    "apis/streamjob.dev/v1alpha1": ("streamjobs",),
}
ROOTS = {plural: root for root, plurals in GROUPS.items() for plural in plurals}
TIMEOUT_S = 30


def plural_of(kind):
    return next(plural for plural in (kind, kind + "s", kind[:-1] + "ies") if plural in ROOTS)


class Api:
    """folder: with the certificates that up.sh made."""

    def __init__(self, address, folder):
        self.address = address
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        self.of_thread = threading.local()

    def connection(self):
        if not hasattr(self.of_thread, "connection"):
            self.of_thread.connection = http.client.HTTPSConnection(self.address, 6443, timeout=TIMEOUT_S, context=self.context)
        return self.of_thread.connection

    def ask(self, path):
        connection = self.connection()
        try:
            connection.request("GET", path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request connects anew
            raise

    def read(self, path):
        """The object, or None."""
        try:
            status, document = self.ask(path)
        except (OSError, http.client.HTTPException):  # a kept connection may have been closed
            status, document = self.ask(path)
        if status == 404:
            return None
        assert status == 200, f"GET {path}: {status} {document.get('message')}"
        return document

    def path(self, kind, namespace):
        plural = plural_of(kind)
        return f"/{ROOTS[plural]}/{f'namespaces/{namespace}/' if namespace else ''}{plural.partition('.')[0]}"

    def get(self, kind, name, namespace):
        return self.read(f"{self.path(kind, namespace)}/{name}")

    def items(self, kinds, namespace, **selectors):
        """Of these kinds (a,b), with their kinds in them as kubectl has them; in all namespaces where there is none."""
        found = []
        for kind in kinds.split(","):
            document = self.read(f"{self.path(kind, namespace)}?{urllib.parse.urlencode(selectors)}")
            about = {"apiVersion": document["apiVersion"], "kind": document["kind"].removesuffix("List")}
            found += [{**about, **item} for item in document["items"]]
        return found
