package main

import (
	"bytes"
	"encoding/json"
	"os"
	"sync"
	"time"
)

// fields are what a log line says besides its message.
type fields map[string]interface{}

var logLock sync.Mutex

// logLine writes one line of JSON on standard error, in the order that zerolog uses.
func logLine(level, message string, more fields) {
	var line bytes.Buffer
	line.WriteByte('{')
	writeField(&line, "level", level)
	for _, name := range sortedNames(more) {
		line.WriteByte(',')
		writeField(&line, name, more[name])
	}
	line.WriteByte(',')
	writeField(&line, "time", time.Now().Format(time.RFC3339))
	line.WriteByte(',')
	writeField(&line, "message", message)
	line.WriteString("}\n")

	logLock.Lock()
	defer logLock.Unlock()
	os.Stderr.Write(line.Bytes())
}

func writeField(line *bytes.Buffer, name string, value interface{}) {
	key, _ := json.Marshal(name)
	text, err := json.Marshal(value)
	if err != nil {
		text = []byte(`"?"`)
	}
	line.Write(key)
	line.WriteByte(':')
	line.Write(text)
}

func info(message string, more fields) { logLine("info", message, more) }
func warn(message string, more fields) { logLine("warn", message, more) }

// fatal logs why the process cannot go on, and ends it.
func fatal(message string, err error) {
	more := fields{}
	if err != nil {
		more["error"] = err.Error()
	}
	logLine("fatal", message, more)
	os.Exit(1)
}
