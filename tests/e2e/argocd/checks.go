package main

// Health checks in Lua, run as util/lua/lua.go of Argo CD runs them: the same interpreter with the same libraries and limit,
// the same conversions. That package itself is not used, for it needs 500 packages more, the clients of clouds among them.

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/argoproj/gitops-engine/pkg/health"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

const (
	keyPrefix  = "resource.customizations.health."
	scriptTime = time.Second
)

// checks are scripts by GROUP/KIND.
type checks map[string]string

// readChecks takes those of an argocd-cm; without one there are none, and Argo CD ships none for streamjob.dev.
func readChecks(path string) (checks, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var config struct{ Data map[string]string }
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, err
	}
	found := checks{}
	for key, script := range config.Data {
		if kind, ok := strings.CutPrefix(key, keyPrefix); ok {
			found[strings.Replace(kind, "_", "/", 1)] = script
		}
	}
	return found, nil
}

func toLua(l *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		list := l.CreateTable(len(v), 0)
		for _, item := range v {
			list.Append(toLua(l, item))
		}
		return list
	case map[string]any:
		table := l.CreateTable(0, len(v))
		for key, item := range v {
			table.RawSetH(lua.LString(key), toLua(l, item))
		}
		return table
	}
	return lua.LNil
}

func openLibraries(l *lua.LState) error {
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return err
		}
	}
	return nil
}

// GetResourceHealth is health.HealthOverride.
func (c checks) GetResourceHealth(object *unstructured.Unstructured) (*health.HealthStatus, error) {
	kind := object.GroupVersionKind()
	script, ok := c[kind.Group+"/"+kind.Kind]
	if !ok {
		return nil, nil
	}
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	if err := openLibraries(l); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", toLua(l, object.Object))
	if err := l.DoString(script); err != nil {
		return nil, err
	}
	text, err := luajson.Encode(l.Get(-1))
	if err != nil {
		return nil, err
	}
	var result health.HealthStatus
	if err := json.Unmarshal(text, &result); err != nil {
		return nil, err
	}
	switch result.Status {
	case health.HealthStatusHealthy, health.HealthStatusProgressing, health.HealthStatusDegraded, health.HealthStatusSuspended:
		return &result, nil
	}
	return nil, fmt.Errorf("the check of %s returns the status %q", kind, result.Status)
}
