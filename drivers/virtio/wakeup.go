package virtio

// Wakeup is where one goroutine waits for an interrupt that another one takes
// in, for transports whose queues share an interrupt.
type Wakeup struct{ c chan struct{} }

// NewWakeup returns a Wakeup that has not fired.
func NewWakeup() Wakeup { return Wakeup{make(chan struct{}, 1)} }

// Fire wakes the one who waits, or who waits next.
func (w Wakeup) Fire() {
	select {
	case w.c <- struct{}{}:
	default: // it has fired already, and was not taken yet
	}
}

// Wait parks until Fire or until closed is closed, and reports which; closed, if both.
func (w Wakeup) Wait(closed <-chan struct{}) bool {
	select {
	case <-w.c:
	case <-closed:
	}
	select {
	case <-closed:
		return false
	default:
		return true
	}
}
