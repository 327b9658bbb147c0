package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// The window of the recording, in characters.
const (
	width  = 100
	height = 28
)

// step is a line that is typed when the screen has shown a text.
type step struct {
	wait string // since the step before; empty for the prompt
	keys string
}

const prompt = "> "

// session is what is typed. It shows that the machine is the program: what runs in
// it, what it is made of, files of the host, pipes, and a function of the shell's.
var session = []step{
	{keys: "cat /etc/motd\r"},
	{keys: "ls -l\r"},
	{keys: "cat usr/share/poems/*.txt | grep -n king\r"},
	{keys: "uptime; free | head -2; cat /proc/yolk/virtio | head -3\r"},
	{keys: "ps | grep main\r"},
	{keys: "sums() { find $1 -name '*.txt' | while read f; do sum $f; done; }; sums /usr/share/poems\r"},
	{keys: "ping -c 2 -i 0.5 10.0.2.2\r"},
	{keys: "bench -n 20 'stat /etc/motd'\r"},
	{keys: "exit\r"},
}

// patience is how long a step may take, on a busy machine too.
const patience = 5 * time.Minute

// record boots the demo and types the session.
func record(yolk string) (*cast, error) {
	args := []string{"run", "--root", "cmd/demo/root", "./cmd/demo"}
	// What is built takes as long as it takes, and is not shown.
	if out, err := exec.Command(yolk, append(args, "true")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command(yolk, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: height, Cols: width})
	if err != nil {
		return nil, err
	}
	defer master.Close()
	r := newRecorder()
	r.show("$ yolk " + strings.Join(args, " ") + "\r\n")
	ended := make(chan struct{})
	go func() {
		r.read(master)
		close(ended)
	}()
	if err := r.play(master, session); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, err
	}
	<-ended
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the demo: %w", err)
	}
	return &cast{header{2, width, height, 1.5, "A shell in a machine that is one Go program", map[string]string{"TERM": "xterm-256color"}}, r.events}, nil
}

// recorder keeps what a terminal is given, and when.
type recorder struct {
	mu     sync.Mutex
	more   sync.Cond
	start  time.Time
	events []event
	unread bytes.Buffer // what no step has waited for yet
	ended  bool
}

func newRecorder() *recorder {
	r := &recorder{start: time.Now()}
	r.more.L = &r.mu
	return r
}

func (r *recorder) show(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event{time.Since(r.start), text})
	r.unread.WriteString(text)
	r.more.Broadcast()
}

// read takes all that comes, in whole characters.
func (r *recorder) read(master *os.File) {
	buf := make([]byte, 64<<10)
	held := 0
	for {
		n, err := master.Read(buf[held:])
		n += held
		whole := wholeCharacters(buf[:n])
		if err != nil {
			whole = n
		}
		if whole > 0 {
			r.show(string(buf[:whole]))
		}
		held = copy(buf, buf[whole:n])
		if err != nil { // EIO: the other side is closed
			r.mu.Lock()
			r.ended = true
			r.more.Broadcast()
			r.mu.Unlock()
			return
		}
	}
}

// wholeCharacters is the length without the beginning of a character at the end.
func wholeCharacters(b []byte) int {
	for i := 1; i <= min(3, len(b)); i++ {
		c := b[len(b)-i]
		switch {
		case c < 0x80:
			return len(b)
		case c >= 0xc0: // the first of 2, 3 or 4 bytes
			want := 2
			if c >= 0xe0 {
				want++
			}
			if c >= 0xf0 {
				want++
			}
			if i < want {
				return len(b) - i
			}
			return len(b)
		}
	}
	return len(b)
}

// play types the steps, as a person would.
func (r *recorder) play(master *os.File, steps []step) error {
	for _, s := range steps {
		wait := s.wait
		if wait == "" {
			wait = prompt
		}
		if err := r.await(wait); err != nil {
			return err
		}
		time.Sleep(600 * time.Millisecond) // to be read
		for _, key := range strings.SplitAfter(s.keys, "") {
			if _, err := master.WriteString(key); err != nil {
				return err
			}
			time.Sleep(45 * time.Millisecond)
		}
	}
	return nil
}

// await waits for a text behind what was waited for before, at the end of what is
// shown.
func (r *recorder) await(text string) error {
	limit := time.Now().Add(patience)
	timer := time.AfterFunc(patience, r.more.Broadcast)
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !strings.HasSuffix(r.unread.String(), text) {
		if r.ended {
			return errors.New("the demo has ended: " + r.unread.String())
		}
		if time.Now().After(limit) {
			return fmt.Errorf("no %q in %q", text, r.unread.String())
		}
		r.more.Wait()
	}
	r.unread.Reset()
	return nil
}
