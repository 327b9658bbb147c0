package qemu

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"syscall"

	"github.com/yolkos/yolk/kernel/control"
)

// procFiles are the files of /proc in the guest, which this process reads by the
// kernel: one at a time.
type procFiles struct {
	turn sync.Mutex // held by who asks

	mu     sync.Mutex
	id     uint64        // of the last question
	answer chan procData // to it; nil: nobody waits
}

type procData struct {
	errno syscall.Errno
	data  []byte
}

// maxErrno is the largest error number of Linux.
const maxErrno = 4095

// take takes an answer and what follows its line. An error is one of the port, or of
// a kernel that breaks the rules: nothing can be read any more.
func (p *procFiles) take(m control.Message, r *control.Reader) error {
	id, ok := m.Count(0)
	errno, ok2 := m.Count(1)
	count, ok3 := m.Count(2)
	if !ok || !ok2 || !ok3 || errno > maxErrno || count > control.MaxData {
		return fmt.Errorf("%s: %q", control.ProcData, m.Args)
	}
	d := procData{syscall.Errno(errno), make([]byte, count)}
	if err := r.Data(d.data); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answer != nil && id == p.id { // else it comes too late
		p.answer <- d // there is room
		p.answer = nil
	}
	return nil
}

// ask prepares for an answer.
func (p *procFiles) ask() (id string, answer <-chan procData) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan procData, 1)
	p.id++
	p.answer = c
	return strconv.FormatUint(p.id, 10), c
}

// readProc reads a file of /proc in the guest, such as "yolk/virtio".
func (l *link) readProc(ctx context.Context, name string) ([]byte, error) {
	l.proc.turn.Lock()
	defer l.proc.turn.Unlock()
	id, answer := l.proc.ask()
	select {
	case l.sent <- control.Message{Verb: control.ProcRead, Args: []string{id, name}}.Append(nil):
	case <-l.gone:
		return nil, fmt.Errorf("/proc/%s in the guest: %w", name, errMachineEnded)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case d := <-answer:
		if d.errno != 0 {
			return nil, fmt.Errorf("/proc/%s in the guest: %w", name, d.errno)
		}
		return d.data, nil
	case <-l.done:
		return nil, fmt.Errorf("/proc/%s in the guest: %w", name, errMachineEnded)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var errMachineEnded = errors.New("the machine has ended")

// Guest is a machine whose program is about to start, or runs, for who looks into it.
type Guest struct{ link *link }

// ReadProc returns what is in a file of /proc in the guest, such as "yolk/virtio".
func (g *Guest) ReadProc(ctx context.Context, name string) ([]byte, error) {
	return g.link.readProc(ctx, name)
}
