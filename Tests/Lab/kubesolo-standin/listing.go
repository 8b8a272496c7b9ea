package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// resourceKind is a kind of object, with how the server draws it as a row of a table.
type resourceKind struct {
	name       string
	plural     string
	namespaced bool
	columns    []string
	cells      func(object) []interface{}
}

var (
	nodeKind      = resourceKind{"Node", "nodes", false, []string{"Name", "Status", "Roles", "Age", "Version"}, nodeCells}
	podKind       = resourceKind{"Pod", "pods", true, []string{"Name", "Ready", "Status", "Restarts", "Age"}, podCells}
	namespaceKind = resourceKind{"Namespace", "namespaces", false, []string{"Name", "Status", "Age"}, namespaceCells}
	configMapKind = resourceKind{"ConfigMap", "configmaps", true, []string{"Name", "Data", "Age"}, configMapCells}
)

func nodeCells(o object) []interface{} {
	status := o["status"].(object)
	word := "NotReady"
	if isReady(status) {
		word = "Ready"
	}
	return []interface{}{nameOf(o), word, "<none>", ageOf(o), status["nodeInfo"].(object)["kubeletVersion"]}
}

func podCells(o object) []interface{} {
	status := o["status"].(object)
	count := "0/1"
	if isReady(status) {
		count = "1/1"
	}
	return []interface{}{nameOf(o), count, status["phase"], "0", ageOf(o)}
}

func namespaceCells(o object) []interface{} {
	return []interface{}{nameOf(o), o["status"].(object)["phase"], ageOf(o)}
}

func configMapCells(o object) []interface{} {
	data, _ := o["data"].(object)
	return []interface{}{nameOf(o), len(data), ageOf(o)}
}

func metadataOf(o object) object {
	metadata, _ := o["metadata"].(object)
	return metadata
}

func nameOf(o object) interface{} { return metadataOf(o)["name"] }

// ageOf is how long ago an object was made, in the largest unit that it has at least two of.
func ageOf(o object) string {
	text, _ := metadataOf(o)["creationTimestamp"].(string)
	made, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "<unknown>"
	}
	age := time.Since(made)
	switch {
	case age < 2*time.Minute:
		return fmt.Sprintf("%ds", int(age.Seconds()))
	case age < 2*time.Hour:
		return fmt.Sprintf("%dm", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%dh", int(age.Hours()))
	}
	return fmt.Sprintf("%dd", int(age.Hours()/24))
}

// isReady tells what the condition `Ready` of a status says.
func isReady(status object) bool {
	for _, one := range status["conditions"].([]object) {
		if one["type"] == "Ready" {
			return one["status"] == "True"
		}
	}
	return false
}

// answerNamed tells all objects or, with a name, the one of that name.
func (n *node) answerNamed(w http.ResponseWriter, r *http.Request, of resourceKind, items []object, name string) {
	if name == "" {
		n.answerList(w, r, of, items)
		return
	}
	for _, item := range items {
		if nameOf(item) != name {
			continue
		}
		if wantsTable(r) {
			answer(w, http.StatusOK, table(of, []object{item}))
			return
		}
		item["kind"], item["apiVersion"] = of.name, "v1"
		answer(w, http.StatusOK, item)
		return
	}
	failure(w, http.StatusNotFound, "NotFound", fmt.Sprintf("%s %q not found", of.plural, name))
}

// answerList tells objects as they are or, for those who ask so, as a table.
func (n *node) answerList(w http.ResponseWriter, r *http.Request, of resourceKind, items []object) {
	if wantsTable(r) {
		answer(w, http.StatusOK, table(of, items))
		return
	}
	answer(w, http.StatusOK, object{
		"kind": of.name + "List", "apiVersion": "v1", "metadata": object{"resourceVersion": "1187"}, "items": items,
	})
}

// wantsTable tells whether a client asks for the table that `kubectl get` prints.
func wantsTable(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "as=Table;v=v1;g=meta.k8s.io")
}

func table(of resourceKind, items []object) object {
	columns, rows := []object{}, []object{}
	for _, name := range of.columns {
		columns = append(columns, object{"name": name, "type": "string", "format": "", "description": "", "priority": 0})
	}
	for _, item := range items {
		rows = append(rows, object{"cells": of.cells(item), "object": object{
			"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadataOf(item),
		}})
	}
	return object{
		"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": object{"resourceVersion": "1187"},
		"columnDefinitions": columns, "rows": rows,
	}
}
