package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// directories are made below the path, whether or not anything is put into them.
var directories = []string{
	"containerd/root", "containerd/state", "containerd/images", "containerd/registry", "kubelet/pods",
	"kubelet/config", "kine/db", "local-path-storage", "apiserver", "controller-manager",
}

// prepareData makes the directories and checks that they can be written.
func prepareData(path string) error {
	if compareReleases(release, "v1.2.0") <= 0 {
		// These releases throw away the images at every start.
		if err := os.RemoveAll(filepath.Join(path, "containerd/root")); err != nil {
			return err
		}
	}
	for _, directory := range directories {
		if err := os.MkdirAll(filepath.Join(path, directory), 0o755); err != nil {
			return err
		}
	}
	probe := filepath.Join(path, ".write-check")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return err
	}
	if err := os.Remove(probe); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, "containerd/config.toml"), []byte("version = 3\n"), 0o644)
}

// checkCgroups returns an error that names the controllers that are missing.
func checkCgroups() error {
	available := map[string]bool{}
	if data, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		for _, name := range strings.Fields(string(data)) {
			available[name] = true
		}
	} else if entries, err := os.ReadDir("/sys/fs/cgroup"); err == nil {
		// Version 1 has a directory for each, and another name for io.
		for _, entry := range entries {
			available[entry.Name()] = true
		}
		available["io"] = available["blkio"]
	}
	var missing []string
	for _, name := range []string{"cpuset", "cpu", "io", "memory", "pids"} {
		if !available[name] {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return fmt.Errorf("cgroup controllers not available: %s", strings.Join(missing, " "))
	}
	return nil
}

// checkPrograms loads the kernel modules that can be loaded, and looks for nft.
func checkPrograms(k knobs) error {
	for _, module := range []string{"br_netfilter", "overlay"} {
		if err := exec.Command("modprobe", module).Run(); err != nil {
			warn("failed to load kernel module", fields{"module": module, "error": err.Error()})
		}
	}
	if _, err := os.Stat("/proc/net/ip_tables_names"); err == nil {
		return nil
	}
	_, err := exec.LookPath("nft")
	if err != nil && !k.requireNft {
		warn("nft not found: KubeSolo itself would stop here", nil)
		return nil
	}
	return err
}

// nodeAddress is the address that the node gives as its own.
func nodeAddress(wanted string) (net.IP, error) {
	if wanted != "" {
		if ip := net.ParseIP(wanted).To4(); ip != nil {
			return ip, nil
		}
		return nil, fmt.Errorf("not an IPv4 address: %s", wanted)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var chosen net.IP
	for _, address := range addresses {
		network, isNetwork := address.(*net.IPNet)
		if !isNetwork || network.IP.To4() == nil || !network.IP.IsGlobalUnicast() {
			continue
		}
		if network.IP.IsPrivate() {
			return network.IP.To4(), nil
		}
		if chosen == nil {
			chosen = network.IP.To4()
		}
	}
	if chosen == nil {
		warn("no IPv4 address found, using loopback", fields{"nodeIP": "127.0.0.1"})
		chosen = net.IPv4(127, 0, 0, 1).To4()
	}
	return chosen, nil
}

// nodeName is the name under which the node registers itself.
func nodeName(wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", err
	}
	name = strings.ToLower(name)
	if name == "" || name == "(none)" {
		return "", fmt.Errorf("the host has no name")
	}
	return name, nil
}
