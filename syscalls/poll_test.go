package syscalls

import (
	"io"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/devfs"
)

// counted is a device that counts how often it is asked; it tells of changes if
// it has a queue.
type counted struct {
	fs.UnsupportedFile
	ready atomic.Uint32
	asked atomic.Int64
	queue *fs.WaitQueue
}

func (c *counted) Getattr(*fs.Attr) error { return nil }

func (c *counted) Poll(events uint32) (uint32, error) {
	c.asked.Add(1)
	return c.ready.Load() & events, nil
}

func (c *counted) Watch(w *fs.Waiter) bool {
	if c.queue == nil {
		return false
	}
	c.queue.Add(w, ^uint32(0))
	return true
}

// Files that tell of changes are asked when they have told, others by the clock.
func TestPollAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		tells, silent := &counted{queue: new(fs.WaitQueue)}, &counted{}
		a, b := openDevice(t, k, tells), openDevice(t, k, silent)
		revents := []int16{0, 0}
		poll := func(ns int64, fds ...int32) int {
			n, e := k.Poll(fds, []int16{fs.PollIn, fs.PollIn}[:len(fds)], revents[:len(fds)], ns)
			ok(t, e)
			return n
		}
		if n := poll(int64(time.Hour), int32(a)); n != 0 || tells.asked.Load() != 3 {
			t.Errorf("%d ready, asked %d times in an hour, want 3", n, tells.asked.Load())
		}
		tells.asked.Store(0)
		if n := poll(int64(time.Second), int32(a), int32(b)); n != 0 || silent.asked.Load() < 90 {
			t.Errorf("%d ready, asked %d times in a second", n, silent.asked.Load())
		}
		done := make(chan int)
		go func() { done <- poll(-1, int32(a)) }()
		synctest.Wait()
		tells.ready.Store(fs.PollIn)
		tells.asked.Store(0)
		tells.queue.Wake(fs.PollOut)
		synctest.Wait()
		if tells.asked.Load() != 0 {
			t.Error("asked for a change that nobody waits for")
		}
		tells.queue.Wake(fs.PollIn)
		if n := <-done; n != 1 || tells.asked.Load() != 1 {
			t.Errorf("%d ready, asked %d times", n, tells.asked.Load())
		}
	})
}

// The console says when something was typed.
func TestPollConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel(t)
		in, typed := io.Pipe()
		d := devfs.New(func([]byte) error { return nil })
		d.AddStream("console", &console{in: in})
		ok(t, k.Mkdirat(AT_FDCWD, "dev", 0o755))
		if err := k.VFS().Mount(fs.Base{}, "dev", d, fs.MountOptions{}); err != nil {
			t.Fatal(err)
		}
		ok(t, k.OpenAs(0, "/dev/console", syscall.O_RDONLY))
		revents := []int16{0}
		done := make(chan int)
		go func() {
			n, _ := k.Poll([]int32{0}, []int16{fs.PollIn}, revents, -1)
			done <- n
		}()
		synctest.Wait()
		typed.Write([]byte("x"))
		if n := <-done; n != 1 || revents[0] != fs.PollIn {
			t.Errorf("%d, %#x", n, revents)
		}
		buf := make([]byte, 2)
		if n, e := k.Read(0, buf); n != 1 || e != 0 {
			t.Errorf("read %d, %v", n, e)
		}
		typed.Close()
	})
}
