package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/alecthomas/kingpin.v2"
)

// kind is the type of a setting's value.
type kind int

const (
	text kind = iota
	number
	boolean
	list
)

// setting is one thing that can be set by a flag, an environment variable or the configuration file.
type setting struct {
	flag     string // "" for one that only the file and the environment know
	key      string // in the configuration file; "" for one that it does not know
	kind     kind
	standard string // "" for none
	since    string // the first release with it; "" for all
	help     string
}

// variable is the environment variable that sets it.
func (s setting) variable() string {
	name := s.flag
	switch s.key {
	case "kubernetes.nodeName":
		name = "node-name"
	case "pki.caCert":
		name = "pki-ca-cert"
	case "pki.caKey":
		name = "pki-ca-key"
	}
	if name == "" {
		return ""
	}
	return "KUBESOLO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

var settings = []setting{
	{"path", "path", text, "/var/lib/kubesolo", "", "directory for all data"},
	{"apiserver-extra-sans", "kubernetes.apiServer.extraSANs", list, "", "", "further names of the API server"},
	{"startup-timeout", "kubernetes.apiServer.startupTimeoutSeconds", number, "600", "", "seconds a component may take"},
	{"node-ip", "network.nodeIP", text, "", "", "address of the node"},
	{"mtu", "network.mtu", number, "0", "", "MTU of the pod network"},
	{"disable-ipv6", "network.disableIPv6", boolean, "false", "", "use no IPv6"},
	{"load-balancer", "network.loadBalancer.enabled", boolean, "true", "", "serve services of type LoadBalancer"},
	{"load-balancer-ip", "network.loadBalancer.ip", text, "", "", "address of these services"},
	{"local-storage", "storage.localPath.enabled", boolean, "true", "", "provide local volumes"},
	{"local-storage-shared-path", "storage.localPath.sharedPath", text, "", "", "shared directory of local volumes"},
	{"db-wal-repair", "storage.dbWALRepair", boolean, "false", "", "repair a damaged write-ahead log"},
	{"portainer-edge-id", "portainer.edgeID", text, "", "", "edge ID"},
	{"portainer-edge-key", "portainer.edgeKey", text, "", "", "edge key"},
	{"portainer-edge-async", "portainer.async", boolean, "false", "", "edge agent in asynchronous mode"},
	{"portainer-edge-image", "portainer.image", text, "docker.io/portainer/agent:lts", "", "image of the edge agent"},
	{"container-runtime-endpoint", "runtime.endpoint", text, "", "", "socket of another container runtime"},
	{"container-mode", "runtime.containerMode", boolean, "", "", "run inside a container"},
	{"cpu-manager-policy", "kubernetes.kubelet.cpuManager.policy", text, "", "", "CPU manager policy"},
	{"cpu-manager-policy-options", "kubernetes.kubelet.cpuManager.policyOptions", text, "", "", "its options"},
	{"reserved-cpus", "kubernetes.kubelet.cpuManager.reservedCPUs", text, "", "", "CPUs kept for the system"},
	{"system-reserved", "kubernetes.kubelet.systemReserved", text, "", "", "resources kept for the system"},
	{"metrics-server", "metrics.enabled", boolean, "false", "", "serve metrics"},
	{"metrics-bind-address", "metrics.bindAddress", text, "127.0.0.1:9105", "", "address of the metrics"},
	{"debug", "logging.debug", boolean, "false", "", "log more"},
	{"pprof-server", "logging.pprof", boolean, "false", "", "serve pprof"},
	{"d2k", "d2k.enabled", boolean, "false", "", "serve the Docker API"},
	{"d2k-namespace", "d2k.namespace", text, "d2k", "", "namespace of its containers"},
	{"full", "", boolean, "false", "", "deprecated, does nothing"},
	{"", "kubernetes.nodeName", text, "", "", ""},
	{"", "kubernetes.kubelet.external", boolean, "false", "", ""},
	{"", "kubernetes.kubelet.bootstrapToken", text, "", "", ""},
	{"", "kubernetes.kubelet.bootstrapKubeconfig", text, "", "", ""},
	{"", "pki.caCert", text, "", "", ""},
	{"", "pki.caKey", text, "", "", ""},
	{"", "api.enabled", boolean, "false", "v1.2.2", ""},
	{"", "api.socketPath", text, "", "v1.2.2", ""},
	{"config", "", text, "/etc/kubesolo/config.yaml", "v1.2.1", "configuration file"},
	{"print-config", "", boolean, "false", "v1.2.1", "print the resolved configuration and exit"},
	{"upgrade-executor", "", text, "", "v1.2.2", "internal"},
	{"upgrade-check-datastore", "", text, "", "v1.2.2", "internal: check a copy of the datastore and exit"},
}

// value takes what kingpin reads, and remembers that it was set.
type value struct {
	kind  kind
	texts []string
}

func (v *value) String() string { return strings.Join(v.texts, ",") }

// IsBoolFlag makes --name and --no-name of a boolean, neither of which takes a value.
func (v *value) IsBoolFlag() bool { return v.kind == boolean }

// IsCumulative lets a list's flag be given more than once.
func (v *value) IsCumulative() bool { return v.kind == list }

// Set takes one value.
func (v *value) Set(word string) error {
	if err := check(v.kind, word); err != nil {
		return err
	}
	if v.kind == list {
		v.texts = append(v.texts, strings.Split(word, ",")...)
	} else {
		v.texts = []string{word}
	}
	return nil
}

func check(k kind, word string) error {
	switch k {
	case number:
		if _, err := strconv.Atoi(word); err != nil {
			return fmt.Errorf("%q is not a number", word)
		}
	case boolean:
		if _, err := strconv.ParseBool(word); err != nil {
			return fmt.Errorf("%q is not true or false", word)
		}
	}
	return nil
}

// values holds the value of each setting, by its flag or else its key.
type values map[string]*value

func (s setting) name() string {
	if s.flag != "" {
		return s.flag
	}
	return s.key
}

func (v values) text(name string) string { return v[name].String() }

func (v values) isTrue(name string) bool {
	result, _ := strconv.ParseBool(v[name].String())
	return result
}

// parseCommandLine returns what flags and environment set, and whether --version was given.
func parseCommandLine(arguments []string, environment func(string) string) (values, bool, error) {
	application := kingpin.New("kubesolo", "Stand-in for KubeSolo, for tests.")
	version := application.Flag("version", "Show the version and exit.").Short('v').Bool()
	result := values{}
	for _, s := range settings {
		v := &value{kind: s.kind}
		result[s.name()] = v
		if s.since != "" && !atLeast(s.since) {
			continue
		}
		if s.flag != "" {
			application.Flag(s.flag, s.help).Envar(s.variable()).SetValue(v)
		} else if word := environment(s.variable()); s.variable() != "" && word != "" {
			if err := v.Set(word); err != nil {
				return nil, false, err
			}
		}
	}
	_, err := application.Parse(arguments)
	return result, *version, err
}

// fillDefaults gives each setting that nothing has set its standard value.
func fillDefaults(v values) {
	for _, s := range settings {
		if one := v[s.name()]; one.texts == nil && s.standard != "" {
			one.texts = []string{s.standard}
		}
	}
}

func sortedNames(m map[string]interface{}) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
