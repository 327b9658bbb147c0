package qemu

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// monitor is QEMU's monitor, by its machine protocol (QMP): what there is to ask of a
// machine that says nothing itself.
type monitor struct {
	conn    *net.UnixConn
	onReset func() // called when the machine has stopped at a reset or power-off, once or twice

	begin   func() error // has QEMU take commands, and tell of resets: once
	one     sync.Mutex   // one command at a time
	answers chan answer
	done    chan struct{} // closed when QEMU says no more
}

// answer is what QEMU says to a command.
type answer struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
}

// maxMonitor is how much QEMU may say in all, in bytes: events come seldom.
const maxMonitor = 64 << 20

// monitorTime is how long a command may take: QEMU answers between two of its steps.
const monitorTime = 10 * time.Second

// openMonitor reads what QEMU says.
func openMonitor(conn *net.UnixConn, onReset func()) *monitor {
	m := &monitor{conn: conn, onReset: onReset, answers: make(chan answer, 1), done: make(chan struct{})}
	m.begin = sync.OnceValue(func() error {
		if _, err := m.do(`{"execute":"qmp_capabilities"}`); err != nil {
			return err
		}
		// Of what came before, no events are sent.
		data, err := m.do(`{"execute":"query-status"}`)
		var is struct{ Status string }
		if err == nil && json.Unmarshal(data, &is) == nil && is.Status == "shutdown" {
			go m.onReset()
		}
		return err
	})
	go m.read()
	return m
}

func (m *monitor) read() {
	defer close(m.done)
	d := json.NewDecoder(io.LimitReader(m.conn, maxMonitor))
	for {
		var line struct {
			answer
			Greeting json.RawMessage `json:"QMP"`
			Event    string          `json:"event"`
		}
		if d.Decode(&line) != nil {
			return
		}
		switch {
		case line.Event == "SHUTDOWN":
			go m.onReset()
		case line.Return != nil || line.Error != nil:
			select {
			case m.answers <- line.answer:
			default: // to nothing
			}
		}
	}
}

// do has QEMU execute a command.
func (m *monitor) do(command string) (json.RawMessage, error) {
	m.one.Lock()
	defer m.one.Unlock()
	select {
	case <-m.answers: // one that came too late
	default:
	}
	if err := m.conn.SetWriteDeadline(time.Now().Add(monitorTime)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(m.conn, command+"\n"); err != nil {
		return nil, fmt.Errorf("QEMU's monitor: %w", err)
	}
	select {
	case a := <-m.answers:
		if a.Error != nil {
			return nil, fmt.Errorf("QEMU's monitor: %s: %.200s", command, a.Error.Desc)
		}
		return a.Return, nil
	case <-m.done:
		return nil, fmt.Errorf("QEMU's monitor: %w", io.ErrUnexpectedEOF)
	case <-time.After(monitorTime):
		return nil, fmt.Errorf("QEMU's monitor: %s: %w", command, os.ErrDeadlineExceeded)
	}
}

// registers asks for those of all processors.
func (m *monitor) registers() (string, error) {
	if err := m.begin(); err != nil {
		return "", err
	}
	data, err := m.do(`{"execute":"human-monitor-command","arguments":{"command-line":"info registers -a"}}`)
	if err != nil {
		return "", err
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return "", fmt.Errorf("QEMU's monitor: registers: %w", err)
	}
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

// quit has QEMU end.
func (m *monitor) quit() {
	_, _ = m.do(`{"execute":"quit"}`) // it may be gone before it answers
}
