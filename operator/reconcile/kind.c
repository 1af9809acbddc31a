#include "operator/reconcile/kind.h"

const struct kind_names kind_names[KIND_COUNT] = {
        [KIND_STREAM_JOB] = {"StreamJob", "streamjob.dev/v1alpha1", "/apis/streamjob.dev/v1alpha1", "streamjobs"},
        [KIND_SERVICE_ACCOUNT] = {"ServiceAccount", "v1", "/api/v1", "serviceaccounts"},
        [KIND_NETWORK_POLICY] = {"NetworkPolicy", "networking.k8s.io/v1", "/apis/networking.k8s.io/v1",
                                 "networkpolicies"},
        [KIND_SERVICE] = {"Service", "v1", "/api/v1", "services"},
        [KIND_CONFIG_MAP] = {"ConfigMap", "v1", "/api/v1", "configmaps"},
        [KIND_DEPLOYMENT] = {"Deployment", "apps/v1", "/apis/apps/v1", "deployments"},
        [KIND_JOB] = {"Job", "batch/v1", "/apis/batch/v1", "jobs"},
        [KIND_REVISION] = {"ControllerRevision", "apps/v1", "/apis/apps/v1", "controllerrevisions"},
        [KIND_BUDGET] = {"PodDisruptionBudget", "policy/v1", "/apis/policy/v1", "poddisruptionbudgets"},
        [KIND_REPLICA_SET] = {"ReplicaSet", "apps/v1", "/apis/apps/v1", "replicasets"},
        [KIND_POD] = {"Pod", "v1", "/api/v1", "pods"},
};
