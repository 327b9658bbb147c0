package signals

import (
	"os"
	"syscall"
	"testing"
)

// TestRelay: signals go to the guest as long as there is one; without one those that
// ask to end do, and the others mean nothing.
func TestRelay(t *testing.T) {
	r := &relay{in: make(chan os.Signal, 2)}
	if r.pass(syscall.SIGINT) || !r.pass(syscall.SIGWINCH) {
		t.Error("no guest: SIGINT is for yolk, SIGWINCH for nobody")
	}
	guest, done := r.ToGuest()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGUSR1, syscall.SIGTERM} {
		if !r.pass(sig) {
			t.Errorf("%v: for yolk, and there is a guest", sig)
		}
	}
	if a, b := <-guest, <-guest; a != syscall.SIGINT || b != syscall.SIGUSR1 {
		t.Errorf("the guest gets %v, %v", a, b)
	}
	select {
	case s := <-guest:
		t.Errorf("%v had no room", s)
	default:
	}
	done()
	if r.pass(syscall.SIGTERM) {
		t.Error("a guest that has ended")
	}
	// Relayed signals come in.
	_, done = r.ToGuest()
	defer done()
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	if s := <-r.in; s != syscall.SIGUSR2 {
		t.Errorf("%v comes in", s)
	}
}
