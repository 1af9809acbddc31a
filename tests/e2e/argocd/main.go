// Command argocd judges objects by Argo CD's own code: gitops-engine's health assessment and comparison.
//
//	argocd health [ARGOCD-CM.json] <OBJECT    prints "Healthy: …", or "none" where Argo CD leaves it out of account
//	argocd diff MODE <PAIR                    prints "Synced", or "OutOfSync" and both sides
//
// ARGOCD-CM.json is the ConfigMap argocd-cm, of which the health checks in Lua count. A PAIR is {"target": what is in git,
// "live": what is in the cluster}. MODE is client (Argo CD's default), structured (the sync option ServerSideApply=true) or
// server (the compare option ServerSideDiff=true); the last two ask the cluster of $KUBECONFIG.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/gitops-engine/pkg/health"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func printHealth(settings string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(text); err != nil {
		return err
	}
	checks, err := readChecks(settings)
	if err != nil {
		return err
	}
	result, err := health.GetResourceHealth(&object, checks)
	if err != nil {
		return err
	}
	if result == nil {
		fmt.Println("none")
	} else {
		fmt.Printf("%s: %s\n", result.Status, result.Message)
	}
	return nil
}

func printDiff(mode string) error {
	var pair struct{ Target, Live map[string]any }
	if err := json.NewDecoder(os.Stdin).Decode(&pair); err != nil {
		return err
	}
	result, err := compare(mode, &unstructured.Unstructured{Object: pair.Target}, &unstructured.Unstructured{Object: pair.Live})
	if err != nil {
		return err
	}
	if result.Modified {
		fmt.Printf("OutOfSync\nlive:     %s\nexpected: %s\n", result.NormalizedLive, result.PredictedLive)
	} else {
		fmt.Println("Synced")
	}
	return nil
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "health":
		return printHealth("")
	case len(arguments) == 2 && arguments[0] == "health":
		return printHealth(arguments[1])
	case len(arguments) == 2 && arguments[0] == "diff":
		return printDiff(arguments[1])
	}
	return errors.New("usage: argocd health [ARGOCD-CM.json] | argocd diff client|structured|server")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "argocd:", err)
		os.Exit(1)
	}
}
