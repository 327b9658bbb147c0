package virtio

import "time"

// resetTimeout is how long a device may take to reset itself.
const resetTimeout = 2 * time.Second

// WaitReset resets a device and waits until it says that it is done (§2.4.2).
// It is how transports implement Reset.
func WaitReset(t Transport) error {
	t.SetStatus(0)
	if t.Status() == 0 {
		return nil
	}
	for begin := time.Now(); time.Since(begin) < resetTimeout; time.Sleep(time.Millisecond) {
		if t.Status() == 0 {
			return nil
		}
	}
	return Errorf(t, "status", "still %#x %v after a reset", t.Status(), resetTimeout)
}
