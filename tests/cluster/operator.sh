#!/usr/bin/env bash
# operator.sh install|uninstall: the operator in the cluster of $KUBECONFIG, by manifests/default. Says which cluster that is.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
overlay=$root/manifests/${OVERLAY:-default}
export KUBECONFIG
command -v kubectl >/dev/null || { echo "operator.sh: kubectl is needed; the local cluster has one: . RUN/env" >&2; exit 1; }
server=$(kubectl config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
case ${1:-} in
install)
	echo "installing $overlay in the cluster at $server"
	kubectl apply --server-side -k "$overlay"
	kubectl wait --for=condition=Established crd/streamjobs.streamjob.dev --timeout=60s
	;;
uninstall)
	echo "taking the operator and every StreamJob out of the cluster at $server"
	# The operator goes last: it deletes Pushgateway groups where a job's deletionPolicy says so.
	! kubectl get crd/streamjobs.streamjob.dev >/dev/null 2>&1 || kubectl delete streamjobs --all --all-namespaces --timeout=120s
	kubectl delete -k "$overlay" --ignore-not-found --timeout=120s
	;;
*)
	echo "usage: operator.sh install|uninstall" >&2
	exit 2
	;;
esac
