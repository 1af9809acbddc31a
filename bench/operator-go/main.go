// Command operator-go does what streamjob-operator does for a suspended StreamJob, the way controller-runtime's users write
// it: the same five children by server-side apply, the same owners and labels, then the status. It is the yardstick of
// bench/run_operator.py, no operator to use: it knows no bad spec, no drift beyond re-applying, no deletion.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

const manager = "operator-go"

var kind = schema.GroupVersionKind{Group: "streamjob.dev", Version: "v1alpha1", Kind: "StreamJob"}

type reconciler struct {
	client.Client
	image string
}

type object = map[string]any

func selector(name string) object {
	return object{"app.kubernetes.io/name": "streamjob", "app.kubernetes.io/instance": name, "app.kubernetes.io/component": "runtime"}
}

func child(job *unstructured.Unstructured, apiVersion, kindName, name string, more object) *unstructured.Unstructured {
	all := selector(job.GetName())
	all["app.kubernetes.io/managed-by"] = manager
	content := object{
		"apiVersion": apiVersion, "kind": kindName,
		"metadata": object{
			"name": name, "namespace": job.GetNamespace(), "labels": all,
			"ownerReferences": []any{object{
				"apiVersion": kind.GroupVersion().String(), "kind": kind.Kind, "name": job.GetName(),
				"uid": string(job.GetUID()), "controller": true, "blockOwnerDeletion": true}},
		},
	}
	for key, value := range more {
		content[key] = value
	}
	return &unstructured.Unstructured{Object: content}
}

func (r *reconciler) children(job *unstructured.Unstructured, spec, hash string) []*unstructured.Unstructured {
	name, file := job.GetName(), job.GetName()+"-"+hash
	replicas := int64(1)
	if suspended, _, _ := unstructured.NestedBool(job.Object, "spec", "suspend"); suspended {
		replicas = 0
	}
	probe := func(path string) object { return object{"httpGet": object{"path": path, "port": "status"}} }
	pod := object{
		"serviceAccountName": name, "automountServiceAccountToken": false, "enableServiceLinks": false,
		"terminationGracePeriodSeconds": int64(45),
		"securityContext":               object{"runAsNonRoot": true, "seccompProfile": object{"type": "RuntimeDefault"}},
		"containers": []any{object{
			"name": "streamjob", "image": r.image, "args": []any{"run", "/etc/streamjob/job.yaml"},
			"ports":          []any{object{"name": "status", "containerPort": int64(8080), "protocol": "TCP"}},
			"readinessProbe": probe("/readyz"), "livenessProbe": probe("/healthz"),
			"securityContext": object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []any{"ALL"}}},
			"volumeMounts":    []any{object{"name": "streamjob-job", "mountPath": "/etc/streamjob", "readOnly": true}},
		}},
		"volumes": []any{object{"name": "streamjob-job", "configMap": object{"name": file}}},
	}
	return []*unstructured.Unstructured{
		child(job, "v1", "ServiceAccount", name, object{"automountServiceAccountToken": false}),
		child(job, "networking.k8s.io/v1", "NetworkPolicy", name, object{"spec": object{
			"podSelector": object{"matchLabels": selector(name)}, "policyTypes": []any{"Ingress"},
			"ingress": []any{object{
				"from":  []any{object{"namespaceSelector": object{}, "podSelector": object{"matchLabels": object{"app.kubernetes.io/name": "prometheus"}}}},
				"ports": []any{object{"port": int64(8080), "protocol": "TCP"}}}}}}),
		child(job, "v1", "Service", name, object{"spec": object{
			"clusterIP": "None", "publishNotReadyAddresses": true, "selector": selector(name),
			"ports": []any{object{"name": "status", "port": int64(8080), "targetPort": "status", "protocol": "TCP"}}}}),
		child(job, "v1", "ConfigMap", file, object{"immutable": true, "data": object{"job.yaml": spec}}),
		child(job, "apps/v1", "Deployment", name, object{"spec": object{
			"replicas": replicas, "strategy": object{"type": "Recreate"}, "selector": object{"matchLabels": selector(name)},
			"template": object{"metadata": object{"labels": selector(name)}, "spec": pod}}}),
	}
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	job := &unstructured.Unstructured{}
	job.SetGroupVersionKind(kind)
	if err := r.Get(ctx, request.NamespacedName, job); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	spec, err := json.Marshal(job.Object["spec"])
	if err != nil {
		return ctrl.Result{}, err
	}
	sum := sha256.Sum256(spec)
	hash := hex.EncodeToString(sum[:5])
	for _, one := range r.children(job, string(spec), hash) {
		if err := r.Patch(ctx, one, client.Apply, client.FieldOwner(manager), client.ForceOwnership); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.status(ctx, job, hash)
}

// status writes what a suspended job's is, where it differs.
func (r *reconciler) status(ctx context.Context, job *unstructured.Unstructured, hash string) error {
	before, _, _ := unstructured.NestedMap(job.Object, "status")
	now := time.Now().UTC().Format(time.RFC3339)
	if old, ok, _ := unstructured.NestedSlice(job.Object, "status", "conditions"); ok && len(old) > 0 {
		now = old[0].(object)["lastTransitionTime"].(string)
	}
	condition := func(name, status, reason string) any {
		return object{"type": name, "status": status, "reason": reason, "message": reason,
			"observedGeneration": job.GetGeneration(), "lastTransitionTime": now}
	}
	after := object{
		"observedGeneration": job.GetGeneration(), "specHash": hash, "replicas": int64(0), "readyReplicas": int64(0),
		"conditions": []any{
			condition("Ready", "False", "Suspended"), condition("Reconciling", "False", "UpToDate"),
			condition("Stalled", "False", "NotStalled"), condition("FunctionsHealthy", "Unknown", "NoStatus"),
			condition("SinksHealthy", "Unknown", "NoStatus")},
	}
	if equality.Semantic.DeepEqual(before, after) {
		return nil
	}
	patch := client.MergeFrom(job.DeepCopy())
	job.Object["status"] = after
	return r.Status().Patch(ctx, job, patch)
}

func main() {
	image := flag.String("runtime-image", "streamjob/runtime:0.1.0", "the pods'")
	workers := flag.Int("workers", 4, "reconciles at the same time")
	listen := flag.String("listen", ":8080", "the metrics'")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))

	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": manager})}
	config := ctrl.GetConfigOrDie()
	config.QPS, config.Burst = -1, -1 // no client-side limit, as the other has none
	m, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: *listen},
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}: ours, &corev1.Service{}: ours, &corev1.ServiceAccount{}: ours, &corev1.Pod{}: ours,
			&appsv1.Deployment{}: ours, &networkingv1.NetworkPolicy{}: ours, &batchv1.Job{}: ours,
		}},
	})
	must(err)
	job := &unstructured.Unstructured{}
	job.SetGroupVersionKind(kind)
	must(ctrl.NewControllerManagedBy(m).For(job).
		Owns(&corev1.ConfigMap{}).Owns(&corev1.Service{}).Owns(&corev1.ServiceAccount{}).Owns(&appsv1.Deployment{}).
		Owns(&networkingv1.NetworkPolicy{}).Owns(&batchv1.Job{}).Owns(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers}).
		Complete(&reconciler{Client: m.GetClient(), image: *image}))
	must(m.Start(ctrl.SetupSignalHandler()))
}

func must(err error) {
	if err != nil {
		ctrl.Log.Error(err, "operator-go ends")
		os.Exit(1)
	}
}
