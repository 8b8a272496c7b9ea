package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	apiVersion   = "kubesolo.io/v1alpha1"
	documentKind = "Config"
)

// readConfiguration sets from the file what flags and environment left open. A missing file is not an error.
func readConfiguration(path string, v values) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	document := map[string]interface{}{}
	if err := yaml.Unmarshal(data, &document); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if document["apiVersion"] != apiVersion {
		return fmt.Errorf("%s: unsupported apiVersion %v, expected %s", path, document["apiVersion"], apiVersion)
	}
	if document["kind"] != documentKind {
		return fmt.Errorf("%s: unsupported kind %v, expected %s", path, document["kind"], documentKind)
	}
	delete(document, "apiVersion")
	delete(document, "kind")

	known := map[string]setting{}
	for _, s := range settings {
		if s.key != "" && (s.since == "" || atLeast(s.since)) {
			known[s.key] = s
		}
	}
	return apply(document, "", known, v)
}

// apply walks one mapping of the file. A key that is not known is only worth a warning.
func apply(mapping map[string]interface{}, prefix string, known map[string]setting, v values) error {
	for _, name := range sortedNames(mapping) {
		key := prefix + name
		item := mapping[name]
		if s, isSetting := known[key]; isSetting {
			words, err := words(s, item)
			if err != nil {
				return err
			}
			if target := v[s.name()]; target.texts == nil {
				target.texts = words
			}
			continue
		}
		inner, isMapping := item.(map[string]interface{})
		if isMapping && leads(key, known) {
			if err := apply(inner, key+".", known, v); err != nil {
				return err
			}
			continue
		}
		if leads(key, known) && item != nil {
			return fmt.Errorf("%s: expected a mapping", key)
		}
		warn("unknown configuration key", fields{"key": key})
	}
	return nil
}

// leads tells whether a known key lies below key.
func leads(key string, known map[string]setting) bool {
	for name := range known {
		if strings.HasPrefix(name, key+".") {
			return true
		}
	}
	return false
}

// words returns a value of the file in the form that a flag would take, or nil for an empty one.
func words(s setting, item interface{}) ([]string, error) {
	switch item := item.(type) {
	case nil:
		return nil, nil
	case string:
		if s.kind == text {
			return []string{item}, nil
		}
	case int:
		if s.kind == number {
			return []string{strconv.Itoa(item)}, nil
		}
	case bool:
		if s.kind == boolean {
			return []string{strconv.FormatBool(item)}, nil
		}
	case []interface{}:
		result := []string{}
		for _, one := range item {
			word, isText := one.(string)
			if !isText {
				return nil, fmt.Errorf("%s: expected a list of strings", s.key)
			}
			result = append(result, word)
		}
		if s.kind == list {
			return result, nil
		}
	}
	expected := map[kind]string{text: "a string", number: "a number", boolean: "a boolean", list: "a list of strings"}
	return nil, fmt.Errorf("%s: expected %s, found %v", s.key, expected[s.kind], item)
}

// printConfiguration writes the resolved configuration as a file that could be read again.
func printConfiguration(out io.Writer, v values) error {
	document := map[string]interface{}{"apiVersion": apiVersion, "kind": documentKind}
	for _, s := range settings {
		if s.key == "" {
			continue
		}
		place := document
		names := strings.Split(s.key, ".")
		for _, name := range names[:len(names)-1] {
			if place[name] == nil {
				place[name] = map[string]interface{}{}
			}
			place = place[name].(map[string]interface{})
		}
		place[names[len(names)-1]] = typed(s, v[s.name()])
	}
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	return encoder.Encode(document)
}

func typed(s setting, v *value) interface{} {
	switch s.kind {
	case number:
		result, _ := strconv.Atoi(v.String())
		return result
	case boolean:
		if v.texts == nil {
			return nil
		}
		result, _ := strconv.ParseBool(v.String())
		return result
	case list:
		return append([]string{}, v.texts...)
	}
	return v.String()
}
