package main

import (
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// node is what the API server tells about itself.
type node struct {
	name        string
	address     net.IP
	knobs       knobs
	store       *store
	credentials *credentials
	ready       int32 // 1 once all components are up
	started     time.Time
}

type object = map[string]interface{}

// listen opens every port; one that is in use is an error.
func (n *node) listen() error {
	handler := http.NewServeMux()
	for _, path := range []string{"/readyz", "/livez", "/healthz"} {
		handler.HandleFunc(path, n.health)
	}
	handler.HandleFunc("/version", func(w http.ResponseWriter, r *http.Request) {
		version := strings.SplitN(kubeletVersion(n.knobs), "+", 2)[0]
		numbers := strings.Split(strings.TrimPrefix(version, "v"), ".")
		answer(w, http.StatusOK, object{
			"major": numbers[0], "minor": numbers[1], "gitVersion": version, "platform": "linux/amd64",
		})
	})
	handler.HandleFunc("/", n.authenticated(func(w http.ResponseWriter, r *http.Request) {
		failure(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	}))
	n.discovery(handler)
	handler.HandleFunc("/api/v1/nodes", n.authenticated(n.nodes))
	handler.HandleFunc("/api/v1/nodes/", n.authenticated(n.nodes))
	handler.HandleFunc("/api/v1/pods", n.authenticated(n.pods))
	handler.HandleFunc("/api/v1/configmaps", n.authenticated(func(w http.ResponseWriter, r *http.Request) {
		n.answerList(w, r, configMapKind, n.store.all())
	}))
	handler.HandleFunc("/api/v1/namespaces", n.authenticated(n.namespaces))
	handler.HandleFunc("/api/v1/namespaces/", n.authenticated(n.inNamespace))
	handler.HandleFunc(configMaps, n.authenticated(n.configMap))
	handler.HandleFunc(strings.TrimSuffix(configMaps, "/"), n.authenticated(n.configMap))

	secure, err := net.Listen("tcp", ":6443")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(tls.NewListener(secure, &tls.Config{
		Certificates: []tls.Certificate{n.credentials.server},
		ClientAuth:   tls.RequestClientCert,
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}))

	proxy, err := net.Listen("tcp", "127.0.0.1:10256")
	if err != nil {
		return err
	}
	proxyHandler := http.NewServeMux()
	proxyHandler.HandleFunc("/healthz", n.health)
	go http.Serve(proxy, proxyHandler)

	for _, address := range []string{":10250", "127.0.0.1:2379"} {
		plain, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go acceptAndClose(plain)
	}
	return nil
}

func acceptAndClose(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		connection.Close()
	}
}

func (n *node) isReady() bool { return atomic.LoadInt32(&n.ready) == 1 }

func (n *node) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !n.isReady() && r.URL.Path != "/livez" {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "[-]poststarthook failed: reason withheld\nreadyz check failed\n")
		return
	}
	fmt.Fprint(w, "ok")
}

// authenticated lets a request through that carries a certificate of ours or the administrator's token.
func (n *node) authenticated(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		known := n.credentials.token != "" &&
			subtle.ConstantTimeCompare([]byte(token), []byte(n.credentials.token)) == 1
		if !known && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			roots := x509.NewCertPool()
			roots.AddCert(n.credentials.authority)
			_, err := r.TLS.PeerCertificates[0].Verify(x509.VerifyOptions{
				Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			})
			known = err == nil
		}
		if !known {
			failure(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
			return
		}
		next(w, r)
	}
}

const configMaps = "/api/v1/namespaces/default/configmaps/"

// configMap reads and writes one ConfigMap, and makes a new one whose name stands in it.
func (n *node) configMap(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(configMaps, "/")), "/")
	if r.Method == http.MethodGet && name == "" {
		n.answerList(w, r, configMapKind, n.store.all())
		return
	}
	if r.Method == http.MethodGet {
		if value := n.store.get(name); value != nil {
			answer(w, http.StatusOK, value)
			return
		}
		failure(w, http.StatusNotFound, "NotFound", fmt.Sprintf("configmaps %q not found", name))
		return
	}
	if r.Method != http.MethodPut && r.Method != http.MethodPost {
		failure(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method")
		return
	}
	if media := r.Header.Get("Content-Type"); strings.Contains(media, "protobuf") {
		failure(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType", "the body is not JSON but "+media)
		return
	}
	var value struct {
		Metadata struct{ Name string }
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(body, &value)
	}
	if name == "" {
		name = value.Metadata.Name
	}
	if err != nil || name == "" {
		failure(w, http.StatusBadRequest, "BadRequest", "the body is not a ConfigMap with a name")
		return
	}
	created := n.store.get(name) == nil
	if r.Method == http.MethodPost && !created {
		failure(w, http.StatusConflict, "AlreadyExists", fmt.Sprintf("configmaps %q already exists", name))
		return
	}
	if err := n.store.put(name, body); err != nil {
		failure(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	if created {
		answer(w, http.StatusCreated, json.RawMessage(body))
	} else {
		answer(w, http.StatusOK, json.RawMessage(body))
	}
}

func answer(w http.ResponseWriter, status int, value interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

func failure(w http.ResponseWriter, status int, reason, message string) {
	answer(w, status, object{
		"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure",
		"message": message, "reason": reason, "code": status,
	})
}
