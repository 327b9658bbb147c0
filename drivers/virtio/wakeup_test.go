package virtio

import "testing"

// TestWakeup: what is closed wakes nobody, whatever has fired before.
func TestWakeup(t *testing.T) {
	for range 100 {
		w, closed := NewWakeup(), make(chan struct{})
		w.Fire()
		w.Fire()
		if !w.Wait(closed) {
			t.Fatal("it has fired")
		}
		w.Fire()
		close(closed)
		if w.Wait(closed) || w.Wait(closed) {
			t.Fatal("it is closed")
		}
	}
}
