package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// knobs make the stand-in fail in the ways that tests need.
type knobs struct {
	readyAfter    time.Duration
	neverReady    bool
	nodeNotReady  bool
	dnsNotReady   bool
	oldNode       bool
	crashAfter    time.Duration // 0 for never
	reportVersion string
	anyCgroups    bool
	requireNft    bool
}

const knobPrefix = "KUBESOLO_STANDIN_"

// readKnobs reads the knobs from the environment, then from the file standin.env below path, which wins.
func readKnobs(path string) knobs {
	words := map[string]string{}
	take := func(line string) {
		if name, word, found := strings.Cut(line, "="); found && strings.HasPrefix(name, knobPrefix) {
			words[strings.TrimPrefix(name, knobPrefix)] = strings.Trim(strings.TrimSpace(word), `"'`)
		}
	}
	for _, line := range os.Environ() {
		take(line)
	}
	if file, err := os.Open(filepath.Join(path, "standin.env")); err == nil {
		defer file.Close()
		for scanner := bufio.NewScanner(file); scanner.Scan(); {
			take(strings.TrimPrefix(strings.TrimSpace(scanner.Text()), "export "))
		}
	}
	if only := words["ONLY"]; only != "" && only != release {
		words = map[string]string{}
	}
	return knobs{
		readyAfter:    seconds(words["READY_SECONDS"], 3*time.Second),
		neverReady:    words["NEVER_READY"] == "1",
		nodeNotReady:  words["NODE_NOT_READY"] == "1",
		dnsNotReady:   words["DNS_NOT_READY"] == "1",
		oldNode:       words["OLD_NODE"] == "1",
		crashAfter:    seconds(words["CRASH_AFTER"], 0),
		reportVersion: words["REPORT_VERSION"],
		anyCgroups:    words["ANY_CGROUPS"] == "1",
		requireNft:    words["REQUIRE_NFT"] == "1",
	}
}

func seconds(word string, standard time.Duration) time.Duration {
	number, err := strconv.ParseFloat(word, 64)
	if err != nil || number < 0 {
		return standard
	}
	return time.Duration(number * float64(time.Second))
}
