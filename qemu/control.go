package qemu

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// progress is what the kernel has said over the debug console. The kernel
// runs a stranger's program, so its lines are bounded and read with care.
type progress struct {
	main   chan struct{} // closed when the program is about to start
	exited chan struct{} // closed when the kernel has told the exit status
	status int           // valid after exited
	proved bool          // valid after done
	done   chan struct{} // closed at the end of the channel
}

// maxLine is the longest line of the debug console that counts, in bytes.
const maxLine = 128

// watch reads the channel until it ends.
func watch(r io.Reader) *progress {
	c := &progress{main: make(chan struct{}), exited: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		in := bufio.NewReaderSize(r, maxLine)
		for {
			line, err := in.ReadSlice('\n')
			if err == nil {
				c.line(strings.TrimSuffix(string(line), "\n"))
			} else if err != bufio.ErrBufferFull {
				return
			}
		}
	}()
	return c
}

func (c *progress) line(line string) {
	switch {
	case line == "yolk main" && !closed(c.main):
		close(c.main)
	case line == provedLine:
		c.proved = true
	case strings.HasPrefix(line, "yolk exit ") && !closed(c.exited):
		n, err := strconv.Atoi(line[len("yolk exit "):])
		if err != nil {
			return
		}
		c.status = n
		close(c.exited)
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
