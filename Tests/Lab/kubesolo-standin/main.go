// Command kubesolo stands in for KubeSolo where the real one cannot be had.
//
// It takes the same arguments and configuration, leaves the same directories behind, answers the same health checks
// and dies in the same ways. It runs no containers.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// stopTime is how long a clean stop takes.
const stopTime = time.Second

func main() {
	v, version, err := parseCommandLine(os.Args[1:], os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubesolo: error: %s, try --help\n", err)
		os.Exit(1)
	}
	if version {
		path := v.text("path")
		if path == "" {
			path = "/var/lib/kubesolo"
		}
		info("kubesolo version", fields{"version": reportedRelease(readKnobs(path))})
		return
	}
	if copied := v.text("upgrade-check-datastore"); copied != "" {
		if err := checkStore(copied); err != nil {
			fatal("datastore check failed", err)
		}
		info("datastore ok", fields{"path": copied})
		return
	}
	if atLeast("v1.2.1") {
		file := v.text("config")
		if file == "" {
			file = "/etc/kubesolo/config.yaml"
		}
		if err := readConfiguration(file, v); err != nil {
			fatal("failed to load configuration", err)
		}
	}
	fillDefaults(v)
	if v.isTrue("print-config") {
		if err := printConfiguration(os.Stdout, v); err != nil {
			fatal("failed to print configuration", err)
		}
		return
	}
	if v.isTrue("full") {
		warn("--full is deprecated and does nothing", nil)
	}
	run(v)
}

// run starts the node and ends with the process.
func run(v values) {
	path := v.text("path")
	if os.Geteuid() != 0 {
		fatal("kubesolo must be run as root", nil)
	}
	if err := prepareData(path); err != nil {
		fatal("data directory is not writable", err)
	}
	k := readKnobs(path)
	info("starting kubesolo", fields{
		"version": reportedRelease(k), "variant": variant, "path": path,
		"containerMode": v.isTrue("container-mode") || os.Getenv("container") != "",
		"edgeAgent":     v.text("portainer-edge-id") != "" && v.text("portainer-edge-key") != "",
	})
	if err := checkCgroups(); err != nil && !k.anyCgroups {
		fatal("preflight check failed", err)
	}
	if err := checkPrograms(k); err != nil {
		fatal("preflight check failed", err)
	}
	if os.Getenv("container") == "" {
		if _, err := os.Stat("/etc/resolv.conf"); err != nil {
			warn("no resolv.conf", fields{"error": err.Error()})
		}
	}

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	n := start(v, k, path)
	waitForStop(n, signals)

	info("stopping kubesolo", nil)
	time.Sleep(stopTime)
	if err := n.store.close(); err != nil {
		fatal("failed to close the datastore", err)
	}
	info("kubesolo stopped cleanly", fields{"uptimeSeconds": int(time.Since(n.started).Seconds())})
}

// start brings up all that the stand-in serves.
func start(v values, k knobs, path string) *node {
	name, err := nodeName(v.text("kubernetes.nodeName"))
	if err != nil {
		fatal("failed to find the name of the node", err)
	}
	address, err := nodeAddress(v.text("node-ip"))
	if err != nil {
		fatal("failed to find the address of the node", err)
	}
	credentials, err := prepareCredentials(path, address, append([]string{name}, v["apiserver-extra-sans"].texts...))
	if err != nil {
		fatal("failed to prepare certificates", err)
	}
	datastore, err := openStore(filepath.Join(path, "kine/db"))
	if err != nil {
		fatal("failed to open the datastore", err)
	}
	if newer := datastore.openedBy; newer != "" && compareReleases(newer, release) > 0 {
		warn("datastore was opened by a newer release", fields{"newest": newer})
	}
	n := &node{name: name, address: address, knobs: k, store: datastore, credentials: credentials, started: time.Now()}
	if err := n.listen(); err != nil {
		fatal("failed to listen", err)
	}
	info("api server started", fields{"node": name, "nodeIP": address.String(), "port": 6443})
	return n
}

// waitForStop serves until a signal asks for the end. Up to v1.2.1 it takes two.
func waitForStop(n *node, signals <-chan os.Signal) {
	needed := 1
	if !atLeast("v1.2.2") {
		needed = 2
	}
	var ready, crash <-chan time.Time
	if !n.knobs.neverReady {
		ready = time.After(n.knobs.readyAfter)
	}
	if n.knobs.crashAfter > 0 {
		crash = time.After(n.knobs.crashAfter)
	}
	for {
		select {
		case <-ready:
			atomic.StoreInt32(&n.ready, 1)
			info("kubesolo is ready", fields{"kubelet": kubeletVersion(n.knobs)})
		case <-crash:
			fatal("component failed", fmt.Errorf("crash asked for after %s", n.knobs.crashAfter))
		case received := <-signals:
			needed--
			info("received signal", fields{"signal": received.String(), "furtherNeeded": needed})
			if needed == 0 {
				return
			}
		}
	}
}
