package qemu

import (
	"fmt"
	"io"
)

// events are a trace that comes from the guest, by the port of package
// kernel/trace/wire.
type events struct {
	done chan struct{} // closed when no more comes
	err  error         // why not all of it was taken; valid after done
}

// receiveEvents passes the trace on to w until its end. When w takes no more, the rest
// is read all the same, so that the guest does not wait.
func receiveEvents(port io.Reader, w io.Writer) *events {
	e := &events{done: make(chan struct{})}
	go func() {
		defer close(e.done)
		if _, err := io.Copy(w, port); err != nil {
			e.err = fmt.Errorf("the trace: %w; the rest of it is lost", err)
			_, _ = io.Copy(io.Discard, port)
		}
	}()
	return e
}
