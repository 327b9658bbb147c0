// Package control is the language of the port yolk.control, by which launcher
// and kernel tell each other what happens while the program runs. Both use it.
//
// A message is a line: a verb and its arguments, with one blank between two. An
// argument that is empty, or has other bytes than those of a plain word, is
// quoted as in Go. Who does not know a verb skips the line, so that either side
// may learn new ones alone.
//
// The launcher says:
//
//	share-ended TAG HOW        the file server of a share is gone
//	share-started TAG          the next one is there, for a device that is started
//	                           again
//	network-ended              nothing serves the network device any more
//	stream-failed NAME ERRNO   no more of stdout or stderr is taken, for this
//	                           error of Linux
//	console-passed N           in answer: N bytes of the serial port are where
//	                           they belong
//	signal N                   a signal of the host's for the program
//	continued                  the program goes on after stopped, or could not
//	                           be stopped
//	file-data ERRNO KIND SIZE COUNT
//	                           in answer: what the host has of a file, COUNT bytes
//	                           of which follow the line. KIND is file, dir, or link,
//	                           whose bytes are the link's text
//	watching ID ERRNO          in answer to watch: 0, or why not
//	watch-event ID MASK COOKIE NAME
//	                           an event of inotify on the host; NAME may be missing
//	watch-lost                 events are missing
//	watch-synced N             in answer: what happened before watch-sync N has
//	                           been told
//	window-size ROWS COLS X Y  of the terminal, in characters and in pixels
//	proc-read ID NAME          asks for proc-data of a file of /proc, one at a time
//
// The kernel says:
//
//	stream-told NAME           the program has got the error of stream-failed
//	console-sent N             asks for console-passed N
//	stopped N                  a signal stops the program, like a job of a
//	                           shell; asks for continued
//	file-read NAME OFFSET COUNT
//	                           asks for file-data of one of the files that the
//	                           launcher offers, one at a time
//	held                       the machine is up, and its program waits for continued
//	interrupt-taken            the program has taken the Ctrl-C that was typed
//	                           last: as a signal, or by reading it
//	watch ID TAG INO PATH      asks for the events of PATH, from the root of the
//	                           share TAG, whose inode number is INO
//	unwatch ID                 ends that
//	watch-sync N               asks for watch-synced N
//	proc-data ID ERRNO COUNT   in answer: what is in the file, COUNT bytes that follow
//	                           the line
//
// Numbers are decimal. The launcher's setting watch=1 says that it answers watch.
package control

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
)

// PortName is the name of the virtio-serial port.
const PortName = "yolk.control"

// LogMark begins each line of the kernel's log on the serial port, where a launcher
// that wants it apart from panics has said log.marked=1: the record separator of ASCII.
const LogMark = 0x1e

// The verbs.
const (
	ShareEnded    = "share-ended"
	ShareStarted  = "share-started"
	NetworkEnded  = "network-ended"
	StreamFailed  = "stream-failed"
	ConsolePassed = "console-passed"
	Signal        = "signal"
	Continued     = "continued"
	WindowSize    = "window-size"
	StreamTold    = "stream-told"
	ConsoleSent   = "console-sent"
	Stopped       = "stopped"
	FileRead      = "file-read"
	FileData      = "file-data"
	ProcRead      = "proc-read"
	ProcData      = "proc-data"

	Watch       = "watch"
	Unwatch     = "unwatch"
	WatchSync   = "watch-sync"
	Watching    = "watching"
	WatchEvent  = "watch-event"
	WatchLost   = "watch-lost"
	WatchSynced = "watch-synced"

	InterruptTaken = "interrupt-taken"
	Held           = "held"
)

// MaxData is how many bytes may follow the line of file-data or proc-data.
const MaxData = 256 << 10

// MaxLine is the longest line that is read, in bytes with its end: a path, each
// byte quoted, and what goes with it. Longer ones are skipped.
const MaxLine = 4*4096 + 256

// maxArgs is how many arguments a message may have.
const maxArgs = 16

// Message is one line.
type Message struct {
	Verb string
	Args []string
}

// Append appends the line with its end.
func (m Message) Append(b []byte) []byte {
	b = append(b, m.Verb...)
	for _, a := range m.Args {
		b = append(b, ' ')
		if plain(a) {
			b = append(b, a...)
		} else {
			b = strconv.AppendQuoteToASCII(b, a)
		}
	}
	return append(b, '\n')
}

// Arg returns argument i, "" if there is none.
func (m Message) Arg(i int) string {
	if i >= len(m.Args) {
		return ""
	}
	return m.Args[i]
}

// Count returns argument i as a number; ok is false if it is none.
func (m Message) Count(i int) (n uint64, ok bool) {
	n, err := strconv.ParseUint(m.Arg(i), 10, 63)
	return n, err == nil
}

// maxSignal is the largest number of a signal.
const maxSignal = 64

// Signal returns argument i as the number of a signal; ok is false if it is none.
func (m Message) Signal(i int) (sig syscall.Signal, ok bool) {
	n, ok := m.Count(i)
	return syscall.Signal(n), ok && 1 <= n && n <= maxSignal
}

// plain reports whether a word stands for itself.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '"' {
			return false
		}
	}
	return s != ""
}

var errMalformed = errors.New("malformed")

// Parse reads a line without its end.
func Parse(line string) (Message, error) {
	bad := func() (Message, error) { return Message{}, fmt.Errorf("control line %.80q: %w", line, errMalformed) }
	verb, rest, more := strings.Cut(line, " ")
	if !plain(verb) {
		return bad()
	}
	m := Message{Verb: verb}
	for more {
		if len(m.Args) == maxArgs {
			return bad()
		}
		var arg string
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return bad()
			}
			arg, _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
			rest = rest[len(quoted):]
			if rest, more = strings.CutPrefix(rest, " "); !more && rest != "" {
				return bad()
			}
		} else {
			arg, rest, more = strings.Cut(rest, " ")
			if !plain(arg) {
				return bad()
			}
		}
		m.Args = append(m.Args, arg)
	}
	return m, nil
}

// Reader reads messages from a stranger.
type Reader struct {
	in *bufio.Reader
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, MaxLine)} }

// Data fills p with bytes that follow the line of the last message.
func (r *Reader) Data(p []byte) error {
	_, err := io.ReadFull(r.in, p)
	return err
}

// Next returns the next message. What is none is skipped; the error is that of
// the reader, at its end io.EOF.
func (r *Reader) Next() (Message, error) {
	for whole := true; ; {
		line, err := r.in.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
			whole = false
			continue
		case err != nil:
			return Message{}, err
		case !whole:
			whole = true // the end of a line that was too long
			continue
		}
		if m, err := Parse(string(line[:len(line)-1])); err == nil {
			return m, nil
		}
	}
}
