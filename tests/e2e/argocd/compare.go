package main

import (
	"fmt"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// manager is the field manager of Argo CD's server-side apply.
const manager = "argocd-controller"

// withoutStatus is Argo CD's default, resource.compareoptions' ignoreResourceStatusField: all.
type withoutStatus struct{}

func (withoutStatus) Normalize(object *unstructured.Unstructured) error {
	unstructured.RemoveNestedField(object.Object, "status")
	return nil
}

func clusterConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
}

// clusterOptions has what a comparison takes from the cluster: its types, and a dry run for the mode server.
func clusterOptions(mode string) ([]diff.Option, func(), error) {
	config, err := clusterConfig()
	if err != nil {
		return nil, nil, err
	}
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	schema, types, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, nil, err
	}
	options := []diff.Option{diff.WithGVKParser(types), diff.WithManager(manager)}
	if mode == "structured" {
		return append(options, diff.WithStructuredMergeDiff(true)), func() {}, nil
	}
	applier, cleanup, err := kube.ManageServerSideDiffDryRuns(config, schema, tracing.NopTracer{}, logr.Discard(),
		func(string) (kube.CleanupFunc, error) { return func() {}, nil })
	if err != nil {
		return nil, nil, err
	}
	return append(options, diff.WithServerSideDiff(true),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier))), cleanup, nil
}

func compare(mode string, target, live *unstructured.Unstructured) (*diff.DiffResult, error) {
	options := []diff.Option{diff.WithNormalizer(withoutStatus{}), diff.WithLogr(logr.Discard())}
	switch mode {
	case "client":
	case "structured", "server":
		more, cleanup, err := clusterOptions(mode)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		options = append(options, more...)
	default:
		return nil, fmt.Errorf("there is no mode %s, but client, structured and server", mode)
	}
	return diff.Diff(target, live, options...)
}
