package main

import "net/http"

// discovery tells clients what there is: kubectl asks before anything else.
func (n *node) discovery(handler *http.ServeMux) {
	documents := map[string]object{
		"/api": {"kind": "APIVersions", "versions": []string{"v1"}, "serverAddressByClientCIDRs": []object{
			{"clientCIDR": "0.0.0.0/0", "serverAddress": n.address.String() + ":6443"},
		}},
		"/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{}},
		"/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []object{
			resource(nodeKind, "nodes", "node", "no", "get", "list"),
			resource(podKind, "pods", "pod", "po", "get", "list"),
			resource(namespaceKind, "namespaces", "namespace", "ns", "get", "list"),
			resource(configMapKind, "configmaps", "configmap", "cm", "create", "get", "list", "update"),
		}},
	}
	for path, document := range documents {
		document := document
		handler.HandleFunc(path, n.authenticated(func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusOK, document)
		}))
	}
}

func resource(of resourceKind, plural, singular, short string, verbs ...string) object {
	return object{
		"kind": of.name, "name": plural, "singularName": singular, "shortNames": []string{short},
		"namespaced": of.namespaced, "verbs": verbs,
	}
}
