package main

import (
	"strconv"
	"strings"
)

// release is the tag this binary says it is, set by the linker.
var release = "v0.0.0"

// variant is "online" or "offline", set by the linker.
var variant = "online"

// kubernetesVersions holds the Kubernetes release of each KubeSolo minor.
var kubernetesVersions = map[string]string{
	"v1.2": "v1.35.7",
	"v1.3": "v1.36.6",
}

// parseRelease splits a tag into its numbers; what follows a hyphen is left out.
func parseRelease(tag string) [3]int {
	var numbers [3]int
	core := strings.SplitN(strings.TrimPrefix(tag, "v"), "-", 2)[0]
	for i, word := range strings.SplitN(core, ".", 3) {
		numbers[i], _ = strconv.Atoi(word)
	}
	return numbers
}

// compareReleases returns a negative number, zero or a positive number, as a is older than, equal to or newer than b.
func compareReleases(a, b string) int {
	x, y := parseRelease(a), parseRelease(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] - y[i]
		}
	}
	return 0
}

// isOlderMinor tells whether the minor release of a is older than that of b.
func isOlderMinor(a, b string) bool {
	x, y := parseRelease(a), parseRelease(b)
	return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
}

// atLeast tells whether this release is tag or a newer one.
func atLeast(tag string) bool {
	return compareReleases(release, tag) >= 0
}

// reportedRelease is the tag that --version and the node show.
func reportedRelease(k knobs) string {
	if k.reportVersion != "" {
		return k.reportVersion
	}
	return release
}

// kubeletVersion is the version that the node reports.
func kubeletVersion(k knobs) string {
	tag := reportedRelease(k)
	minor := tag
	if words := strings.SplitN(tag, ".", 3); len(words) == 3 {
		minor = words[0] + "." + words[1]
	}
	kubernetes, known := kubernetesVersions[minor]
	if !known {
		kubernetes = "v1.0.0"
	}
	return kubernetes + "+kubesolo-" + tag
}
