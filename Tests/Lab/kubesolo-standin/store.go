package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

// record is one line of the datastore: a value, or with Opened the release that opened it.
type record struct {
	Key    string          `json:"key,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"`
	Opened string          `json:"opened,omitempty"`
}

// store keeps values in two files, as SQLite does: what is new stands only in the second, the write-ahead log, until
// a clean stop or the next start moves it into the first. A copy of the first alone may lack what was last written.
type store struct {
	lock     sync.Mutex
	path     string
	log      *os.File
	values   map[string]json.RawMessage
	openedBy string // the newest release that has opened it so far
}

// openStore reads the datastore in the directory, moves its log into it and starts a new log.
func openStore(directory string) (*store, error) {
	s := &store{path: filepath.Join(directory, "state.db"), values: map[string]json.RawMessage{}}
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := s.replay(file, false); err != nil {
		return nil, fmt.Errorf("quick_check: %s: %w", s.path, err)
	}
	if err := s.checkpoint(); err != nil {
		return nil, err
	}
	if s.log, err = os.OpenFile(s.path+"-wal", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if s.openedBy != "" && isOlderMinor(release, s.openedBy) {
		if err := s.dropFields(); err != nil {
			return nil, err
		}
	}
	return s, s.append(record{Opened: release})
}

// dropFields leaves of every value what all releases know: what an older API server does, in silence, with what a newer
// one has written.
func (s *store) dropFields() error {
	for key, value := range s.values {
		var fields map[string]json.RawMessage
		if json.Unmarshal(value, &fields) != nil {
			continue
		}
		for name := range fields {
			if name != "apiVersion" && name != "kind" && name != "metadata" {
				delete(fields, name)
			}
		}
		known, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		if err := s.put(key, known); err != nil {
			return err
		}
	}
	return nil
}

// checkStore reads a copy of a datastore and changes nothing.
func checkStore(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	s := &store{values: map[string]json.RawMessage{}}
	_, err = s.replay(file, false)
	return err
}

// replay takes the lines of a file. With torn, an unfinished end is left out; what was read of it is returned.
func (s *store) replay(file *os.File, torn bool) ([]byte, error) {
	var read bytes.Buffer
	reader := bufio.NewReader(file)
	for {
		line, err := reader.ReadBytes('\n')
		var one record
		if len(line) > 0 && (err != nil || json.Unmarshal(line, &one) != nil) {
			if torn {
				return read.Bytes(), nil
			}
			return nil, errors.New("database disk image is malformed")
		}
		if err != nil {
			return read.Bytes(), nil
		}
		read.Write(line)
		if one.Opened != "" {
			if s.openedBy == "" || compareReleases(one.Opened, s.openedBy) > 0 {
				s.openedBy = one.Opened
			}
		} else {
			s.values[one.Key] = one.Value
		}
	}
}

// checkpoint moves the log into the first file.
func (s *store) checkpoint() error {
	log, err := os.Open(s.path + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close()
	lines, err := s.replay(log, true)
	if err != nil {
		return err
	}
	whole, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(append(whole, lines...)); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return err
	}
	return os.Remove(s.path + "-wal")
}

func (s *store) append(one record) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	if _, err := s.log.Write(append(line, '\n')); err != nil {
		return err
	}
	return s.log.Sync()
}

// get returns the value of a key, or nil.
func (s *store) get(key string) json.RawMessage {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.values[key]
}

// all returns the values that are objects, by name.
func (s *store) all() []object {
	s.lock.Lock()
	defer s.lock.Unlock()
	names := make([]string, 0, len(s.values))
	for name := range s.values {
		names = append(names, name)
	}
	sort.Strings(names)
	values := []object{}
	for _, name := range names {
		var value object
		if json.Unmarshal(s.values[name], &value) == nil {
			values = append(values, value)
		}
	}
	return values
}

// put keeps a value; once it returns, the value outlasts a power cut.
func (s *store) put(key string, value json.RawMessage) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.append(record{Key: key, Value: value}); err != nil {
		return err
	}
	s.values[key] = value
	return nil
}

// close moves the log into the first file, so that this file is whole by itself.
func (s *store) close() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.log.Close(); err != nil {
		return err
	}
	return s.checkpoint()
}
