// Command operator-go does what streamjob-operator does for a StreamJob, suspended or running, the way an experienced user of
// controller-runtime writes it: typed objects, caches without managedFields and only of its own children, no reconcile for
// its own status writes, no client-side rate limit, no write of a child that says it is as wanted. The same five children by
// server-side apply, the same owners and labels, then the status and an Event. It is the yardstick of
// bench/run_operator.py, no operator to use: it knows no bad spec, no drift of a child's content, no deletion.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlbuilder "sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

const (
	manager = "operator-go"
	applied = "streamjob.dev/applied" // on a child: the hash of what was applied last
)

type reconciler struct {
	client.Client
	events record.EventRecorder
	poller *poller
	image  string
}

// isSuspended reads the one member of the spec that decides anything here.
func isSuspended(job *StreamJob) bool {
	var spec struct {
		Suspend bool `json:"suspend"`
	}
	must(json.Unmarshal(job.Spec, &spec))
	return spec.Suspend
}

type object = map[string]any

func selector(name string) object {
	return object{"app.kubernetes.io/name": "streamjob", "app.kubernetes.io/instance": name, "app.kubernetes.io/component": "runtime"}
}

func child(job *StreamJob, apiVersion, kindName, name string, more object) *unstructured.Unstructured {
	all := selector(job.GetName())
	all["app.kubernetes.io/managed-by"] = manager
	content := object{
		"apiVersion": apiVersion, "kind": kindName,
		"metadata": object{
			"name": name, "namespace": job.GetNamespace(), "labels": all,
			"ownerReferences": []any{object{
				"apiVersion": group.String(), "kind": "StreamJob", "name": job.GetName(),
				"uid": string(job.GetUID()), "controller": true, "blockOwnerDeletion": true}},
		},
	}
	for key, value := range more {
		content[key] = value
	}
	content["metadata"].(object)["annotations"] = object{applied: hashOf(content)}
	return &unstructured.Unstructured{Object: content}
}

func (r *reconciler) children(job *StreamJob, spec, hash string) []*unstructured.Unstructured {
	name, file := job.GetName(), job.GetName()+"-"+hash
	replicas := int64(1)
	if isSuspended(job) {
		replicas = 0
	}
	probe := func(path string, period, timeout, failures int64) object {
		return object{"httpGet": object{"path": path, "port": "status"}, "periodSeconds": period, "timeoutSeconds": timeout,
			"failureThreshold": failures}
	}
	mount := func(name, path string, readOnly bool) object {
		return object{"name": name, "mountPath": path, "readOnly": readOnly}
	}
	scratch := func(name string) object { return object{"name": name, "emptyDir": object{"sizeLimit": "1Gi"}} }
	pod := object{
		"serviceAccountName": name, "automountServiceAccountToken": false, "enableServiceLinks": false,
		"terminationGracePeriodSeconds": int64(45),
		"securityContext":               object{"runAsNonRoot": true, "seccompProfile": object{"type": "RuntimeDefault"}},
		"containers": []any{object{
			"name": "streamjob", "image": r.image, "workingDir": "/var/lib/streamjob", "command": []any{"streamjob"},
			"args":          []any{"run", "/etc/streamjob/job/job.json", "--listen", ":8080", "--log-format", "json"},
			"ports":         []any{object{"name": "status", "containerPort": int64(8080), "protocol": "TCP"}},
			"livenessProbe": probe("/healthz", 10, 5, 6), "readinessProbe": probe("/readyz", 5, 5, 2),
			"terminationMessagePolicy": "FallbackToLogsOnError",
			"securityContext":          object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []any{"ALL"}}},
			"volumeMounts": []any{mount("streamjob-job", "/etc/streamjob/job", true), mount("streamjob-tmp", "/tmp", false),
				mount("streamjob-work", "/var/lib/streamjob", false)},
		}},
		"volumes": []any{object{"name": "streamjob-job", "configMap": object{"name": file}}, scratch("streamjob-tmp"), scratch("streamjob-work")},
	}
	template := object{
		"metadata": object{"labels": selector(name), "annotations": object{"streamjob.dev/spec-hash": hash}}, "spec": pod}
	from := func(label, value string) object {
		return object{"namespaceSelector": object{}, "podSelector": object{"matchLabels": object{label: value}}}
	}
	return []*unstructured.Unstructured{
		child(job, "v1", "ServiceAccount", name, object{"automountServiceAccountToken": false}),
		child(job, "networking.k8s.io/v1", "NetworkPolicy", name, object{"spec": object{
			"podSelector": object{"matchLabels": selector(name)}, "policyTypes": []any{"Ingress"},
			"ingress": []any{object{
				"from": []any{from("app.kubernetes.io/name", "streamjob-operator"), from("streamjob.dev/scraper", "true"),
					from("app.kubernetes.io/name", "prometheus")},
				"ports": []any{object{"port": int64(8080), "protocol": "TCP"}}}}}}),
		child(job, "v1", "Service", name, object{"spec": object{
			"clusterIP": "None", "publishNotReadyAddresses": true, "selector": selector(name),
			"ports": []any{object{"name": "status", "port": int64(8080), "targetPort": "status", "protocol": "TCP"}}}}),
		child(job, "v1", "ConfigMap", file, object{"immutable": true, "data": object{"job.json": spec}}),
		child(job, "apps/v1", "Deployment", name, object{"spec": object{
			"replicas": replicas, "revisionHistoryLimit": int64(2), "strategy": object{"type": "Recreate"},
			"selector": object{"matchLabels": selector(name)}, "template": template}}),
	}
}

func hashOf(value any) string {
	text, err := json.Marshal(value)
	must(err)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// isApplied asks the cache.
func (r *reconciler) isApplied(ctx context.Context, wanted *unstructured.Unstructured) bool {
	typed, err := r.Scheme().New(wanted.GroupVersionKind())
	must(err)
	live := typed.(client.Object)
	err = r.Get(ctx, client.ObjectKeyFromObject(wanted), live)
	return err == nil && live.GetAnnotations()[applied] == wanted.GetAnnotations()[applied]
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	job := &StreamJob{}
	if err := r.Get(ctx, request.NamespacedName, job); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	hash := hashOf(job.Spec)
	for _, one := range r.children(job, string(job.Spec), hash) {
		if r.isApplied(ctx, one) {
			continue
		}
		if err := r.Patch(ctx, one, client.Apply, client.FieldOwner(manager), client.ForceOwnership); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.status(ctx, job, hash)
}

// status writes what a suspended job's is, where it differs.
func (r *reconciler) status(ctx context.Context, job *StreamJob, hash string) error {
	before := job.copy()
	condition := func(name string, status metav1.ConditionStatus, reason, message string) {
		meta.SetStatusCondition(&job.Status.Conditions, metav1.Condition{
			Type: name, Status: status, Reason: reason, Message: message, ObservedGeneration: job.GetGeneration()})
	}
	job.Status.ObservedGeneration, job.Status.SpecHash = job.GetGeneration(), hash
	job.Status.Selector = labels.Set{
		"app.kubernetes.io/name": "streamjob", "app.kubernetes.io/instance": job.GetName(), "app.kubernetes.io/component": "runtime",
	}.String()
	if !isSuspended(job) {
		return r.running(ctx, before, job, condition)
	}
	const suspended = "spec.suspend is true: no data flows, as asked for; the job goes on from its committed offsets"
	condition("Ready", metav1.ConditionTrue, "Suspended", suspended)
	condition("Suspended", metav1.ConditionTrue, "Suspended", suspended)
	condition("Reconciling", metav1.ConditionFalse, "UpToDate", "what the spec asks for is there")
	condition("Stalled", metav1.ConditionFalse, "NotStalled", "nothing waits for a change of the spec")
	condition("FunctionsHealthy", metav1.ConditionUnknown, "NoStatus", "no pod has said how it is")
	condition("InputOK", metav1.ConditionUnknown, "NoStatus", "no pod has said how it is")
	condition("SinksHealthy", metav1.ConditionUnknown, "NoStatus", "no pod has said how it is")
	return r.write(ctx, before, job, "Suspended", suspended)
}

// running says what the pod said last.
func (r *reconciler) running(ctx context.Context, before, job *StreamJob, condition func(string, metav1.ConditionStatus, string, string)) error {
	said := r.poller.said(client.ObjectKeyFromObject(job))
	condition("Reconciling", metav1.ConditionFalse, "UpToDate", "what the spec asks for is there")
	condition("Stalled", metav1.ConditionFalse, "NotStalled", "nothing waits for a change of the spec")
	for _, name := range []string{"FunctionsHealthy", "InputOK", "SinksHealthy"} {
		if said == nil {
			condition(name, metav1.ConditionUnknown, "NoStatus", "no pod has said how it is")
		} else {
			condition(name, metav1.ConditionTrue, "Healthy", "as the pod says")
		}
	}
	reason, words := "Running", "data flows"
	switch {
	case said == nil && meta.IsStatusConditionTrue(before.Status.Conditions, "Ready"):
		return nil // a restart: it is as it was until its pod was asked
	case said == nil:
		reason, words = "Progressing", "the pod is started"
		condition("Ready", metav1.ConditionFalse, reason, words)
	case !said.Ready:
		reason, words = "NotReady", said.NotReadyReason
		condition("Ready", metav1.ConditionFalse, reason, words)
	default:
		condition("Ready", metav1.ConditionTrue, reason, words)
		lag, perSecond := int64(0), int64(said.Recent.RowsPerSecond)
		for _, partition := range said.Partitions {
			lag += partition.Lag
		}
		job.Status.Replicas, job.Status.ReadyReplicas = 1, 1
		job.Status.Lag, job.Status.Rows, job.Status.RowsPerSecond, job.Status.LastWindow = &lag, &said.Rows, &perSecond, said.LastWindow
	}
	return r.write(ctx, before, job, reason, words)
}

func (r *reconciler) write(ctx context.Context, before, job *StreamJob, reason, words string) error {
	if equality.Semantic.DeepEqual(before.Status, job.Status) {
		return nil
	}
	ready := meta.FindStatusCondition(before.Status.Conditions, "Ready")
	isNew := ready == nil || ready.Reason != reason
	if err := r.Status().Patch(ctx, job, client.MergeFrom(before)); err != nil {
		return err
	}
	if isNew {
		r.events.Event(job, corev1.EventTypeNormal, reason, words)
	}
	return nil
}

func main() {
	image := flag.String("runtime-image", "streamjob/runtime:0.1.0", "the pods'")
	workers := flag.Int("workers", 4, "reconciles at the same time")
	listen := flag.String("listen", ":8080", "the metrics'")
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr)))

	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(builder.AddToScheme(scheme))
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": manager})}
	config := ctrl.GetConfigOrDie()
	config.QPS, config.Burst = -1, -1 // no client-side limit, as the other has none
	m, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: *listen},
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}: ours, &corev1.Service{}: ours, &corev1.ServiceAccount{}: ours, &corev1.Pod{}: ours,
			&appsv1.Deployment{}: ours, &networkingv1.NetworkPolicy{}: ours, &batchv1.Job{}: ours,
		}},
	})
	must(err)
	asks := newPoller(m.GetCache())
	must(m.Add(asks))
	must(ctrl.NewControllerManagedBy(m).For(&StreamJob{}, ctrlbuilder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.ConfigMap{}).Owns(&corev1.Service{}).Owns(&corev1.ServiceAccount{}).Owns(&appsv1.Deployment{}).
		Owns(&networkingv1.NetworkPolicy{}).Owns(&batchv1.Job{}).Owns(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers}).
		WatchesRawSource(source.Channel(asks.changed, &handler.EnqueueRequestForObject{})).
		Complete(&reconciler{Client: m.GetClient(), poller: asks, events: m.GetEventRecorderFor(manager), image: *image}))
	must(m.Start(ctrl.SetupSignalHandler()))
}

func must(err error) {
	if err != nil {
		ctrl.Log.Error(err, "operator-go ends")
		os.Exit(1)
	}
}
