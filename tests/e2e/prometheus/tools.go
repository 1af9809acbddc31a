//go:build tools

// The real Prometheus Operator, at a pinned version: its program is built from here, and its CRDs are in its module.
package tools

import _ "github.com/prometheus-operator/prometheus-operator/cmd/operator"
