package main

import (
	"net/http"
	"strings"
	"time"
)

// nodes lists this node and, when asked for, one that an earlier host name has left, with a newer release; or it tells
// the one that the path names.
func (n *node) nodes(w http.ResponseWriter, r *http.Request) {
	isWell := n.isReady() && !n.knobs.nodeNotReady
	items := []object{n.nodeObject(n.name, kubeletVersion(n.knobs), isWell, time.Now())}
	if n.knobs.oldNode {
		left := n.nodeObject("an-earlier-name", "v1.99.0+kubesolo-v9.9.9", false, n.started.Add(-time.Hour))
		items = []object{left, items[0], left}
	}
	n.answerNamed(w, r, nodeKind, items, strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/nodes"), "/"))
}

func (n *node) nodeObject(name, version string, isReady bool, heartbeat time.Time) object {
	conditions := []object{}
	for _, kind := range []string{"MemoryPressure", "DiskPressure", "PIDPressure"} {
		conditions = append(conditions, object{
			"type": kind, "status": "False", "reason": "KubeletHasSufficient", "message": "kubelet has enough",
			"lastHeartbeatTime": heartbeat.UTC().Format(time.RFC3339),
		})
	}
	ready := condition(isReady, "KubeletReady")
	ready["lastHeartbeatTime"] = heartbeat.UTC().Format(time.RFC3339)
	ready["message"] = `container runtime is "ready", {"status":"True"}`
	return object{
		"metadata": object{
			"name": name, "creationTimestamp": n.started.UTC().Format(time.RFC3339),
			"labels":        object{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
			"managedFields": managedFields("kubelet"),
		},
		"spec": object{"podCIDR": "10.42.0.0/24", "podCIDRs": []string{"10.42.0.0/24"}},
		"status": object{
			"addresses": []object{
				{"type": "InternalIP", "address": n.address.String()}, {"type": "Hostname", "address": name},
			},
			"capacity":   object{"cpu": "2", "memory": "1016384Ki", "pods": "110"},
			"conditions": append(conditions[:2:2], ready, conditions[2]),
			"images":     []object{{"names": []string{"docker.io/coredns/coredns:1.12.0"}, "sizeBytes": 20939036}},
			"nodeInfo": object{
				"kubeletVersion": version, "kubeProxyVersion": "", "operatingSystem": "linux",
				"containerRuntimeVersion": "containerd://2.3.7",
			},
		},
	}
}

// pods lists CoreDNS among the others that KubeSolo runs in kube-system; there are none elsewhere.
func (n *node) pods(w http.ResponseWriter, r *http.Request) {
	n.answerList(w, r, podKind, n.systemPods())
}

func (n *node) systemPods() []object {
	return []object{
		n.pod("local-path-provisioner-7d9f", "app", "local-path-provisioner", n.isReady()),
		n.pod("coredns-5c6b9d7f9-x2x4z", "k8s-app", "coredns", n.isReady() && !n.knobs.dnsNotReady),
	}
}

func (n *node) namespaces(w http.ResponseWriter, r *http.Request) {
	items := []object{}
	for _, name := range []string{"default", "kube-system"} {
		items = append(items, object{
			"metadata": object{"name": name, "creationTimestamp": n.started.UTC().Format(time.RFC3339)},
			"status":   object{"phase": "Active"},
		})
	}
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces"), "/")
	n.answerNamed(w, r, namespaceKind, items, name)
}

// inNamespace answers for a namespace, and for the pods in one.
func (n *node) inNamespace(w http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/"), "/", 3)
	if len(parts) == 1 {
		n.namespaces(w, r)
		return
	}
	items := []object{}
	if parts[0] == "kube-system" {
		items = n.systemPods()
	}
	switch {
	case parts[1] == "pods":
		n.answerNamed(w, r, podKind, items, strings.Join(parts[2:], ""))
	case parts[1] == "configmaps" && len(parts) == 2 && r.Method == http.MethodGet:
		n.answerList(w, r, configMapKind, []object{})
	default:
		failure(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}
}

func (n *node) pod(name, label, value string, isReady bool) object {
	phase := "Pending"
	if isReady {
		phase = "Running"
	}
	return object{
		"metadata": object{
			"name": name, "namespace": "kube-system", "labels": object{label: value, "pod-template-hash": "5c6b9d7f9"},
			"creationTimestamp": n.started.UTC().Format(time.RFC3339),
			"managedFields":     managedFields("kube-controller-manager"),
		},
		"spec": object{
			"nodeName":   n.name,
			"containers": []object{{"name": value, "args": []string{"-conf", "/etc/coredns/Corefile"}}},
		},
		"status": object{
			"phase": phase,
			"conditions": []object{
				{"type": "PodScheduled", "status": "True"}, condition(isReady, "PodReady"),
				{"type": "Initialized", "status": "True"},
			},
		},
	}
}

// managedFields are what the API server keeps of who has set what; they hold the words that tests look for.
func managedFields(manager string) []object {
	return []object{{
		"manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
		"fieldsV1": object{"f:status": object{"f:conditions": object{
			`k:{"type":"Ready"}`: object{".": object{}, "f:status": object{}, "f:type": object{}},
		}, "f:nodeInfo": object{"f:kubeletVersion": object{}}}},
	}}
}

func condition(isReady bool, reason string) object {
	status := "True"
	if !isReady {
		status = "False"
		reason = "Not" + reason
	}
	return object{"type": "Ready", "status": status, "reason": reason}
}
