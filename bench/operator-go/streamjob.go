package main

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

var (
	group   = schema.GroupVersion{Group: "streamjob.dev", Version: "v1alpha1"}
	builder = &scheme.Builder{GroupVersion: group}
)

func init() { builder.Register(&StreamJob{}, &StreamJobList{}) }

// StreamJob as the yardstick needs it: its spec is bytes, the smallest form in which a cache can hold it.
type StreamJob struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              json.RawMessage `json:"spec"`
	Status            Status          `json:"status,omitempty"`
}

type Status struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	SpecHash           string             `json:"specHash,omitempty"`
	Selector           string             `json:"selector,omitempty"`
	Replicas           int32              `json:"replicas"`
	ReadyReplicas      int32              `json:"readyReplicas"`
	Lag                *int64             `json:"lag,omitempty"`
	Rows               *Rows              `json:"rows,omitempty"`
	RowsPerSecond      *int64             `json:"rowsPerSecond,omitempty"`
	LastWindow         *Window            `json:"lastWindow,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type Rows struct {
	In  int64 `json:"in"`
	Bad int64 `json:"bad"`
	Out int64 `json:"out"`
}

type Window struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

func metaOf(name types.NamespacedName) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}
}

type StreamJobList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []StreamJob `json:"items"`
}

func (in *StreamJob) DeepCopyObject() runtime.Object { return in.copy() }

func (in *StreamJob) copy() *StreamJob {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec = append(json.RawMessage(nil), in.Spec...)
	out.Status.Conditions = append([]metav1.Condition(nil), in.Status.Conditions...)
	return &out
}

func (in *StreamJobList) DeepCopyObject() runtime.Object {
	out := *in
	out.Items = make([]StreamJob, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].copy()
	}
	return &out
}
