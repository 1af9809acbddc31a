package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

const (
	pollEvery, pollers, answerMax = 2 * time.Second, 32, 256 << 10
	figuresEvery                  = time.Minute
)

// document is what of a pod's /status goes into the StreamJob's.
type document struct {
	Ready          bool   `json:"ready"`
	NotReadyPart   string `json:"notReadyPart"`
	NotReadyReason string `json:"notReadyReason"`
	Rows           Rows   `json:"rows"`
	Recent         struct {
		RowsPerSecond float64 `json:"rowsPerSecond"`
	} `json:"recent"`
	LastWindow *Window `json:"lastWindow"`
	Partitions []struct {
		Lag int64 `json:"lag"`
	} `json:"partitions"`
}

type report struct {
	document document
	told     time.Time // when the job was last put into the queue for it
}

// poller asks the pods that run for their /status and has a job looked at when its verdict changed, or its figures are due.
type poller struct {
	reader  client.Reader
	http    http.Client
	changed chan event.GenericEvent
	mutex   sync.Mutex
	reports map[types.NamespacedName]*report
}

func newPoller(reader client.Reader) *poller {
	return &poller{reader: reader, changed: make(chan event.GenericEvent, 1024), reports: map[types.NamespacedName]*report{},
		http: http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1, DisableCompression: true}}}
}

func (p *poller) said(job types.NamespacedName) *document {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if one := p.reports[job]; one != nil {
		copied := one.document
		return &copied
	}
	return nil
}

func (p *poller) ask(ctx context.Context, pod *corev1.Pod) {
	url := fmt.Sprintf("http://%s:%d/status", pod.Status.PodIP, pod.Spec.Containers[0].Ports[0].ContainerPort)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(err)
	answer, err := p.http.Do(request)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	var told document
	if err != nil || json.Unmarshal(text, &told) != nil {
		return
	}
	job := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels["app.kubernetes.io/instance"]}
	p.mutex.Lock()
	before := p.reports[job]
	due := before == nil || before.document.Ready != told.Ready || before.document.NotReadyPart != told.NotReadyPart ||
		time.Since(before.told) >= figuresEvery
	now := &report{document: told, told: time.Now()}
	if !due {
		now.told = before.told
	}
	p.reports[job] = now
	p.mutex.Unlock()
	if due {
		p.changed <- event.GenericEvent{Object: &StreamJob{ObjectMeta: metaOf(job)}}
	}
}

func (p *poller) round(ctx context.Context) {
	var pods corev1.PodList
	if p.reader.List(ctx, &pods, client.UnsafeDisableDeepCopy) != nil {
		return
	}
	var all sync.WaitGroup
	places := make(chan struct{}, pollers)
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" {
			continue
		}
		all.Add(1)
		places <- struct{}{}
		go func() {
			p.ask(ctx, pod)
			<-places
			all.Done()
		}()
	}
	all.Wait()
}

// Start is called by the manager once its caches are filled.
func (p *poller) Start(ctx context.Context) error {
	for tick := time.NewTicker(pollEvery); ; {
		p.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
