//go:build tamago

package unix

import "time"

// PollFd is a descriptor that Poll waits for.
type PollFd struct {
	Fd      int32
	Events  int16
	Revents int16
}

// Poll waits until one of fds is ready, at most timeout milliseconds; for ever
// if timeout is negative.
func Poll(fds []PollFd, timeout int) (n int, err error) {
	descriptors, events, revents := make([]int32, len(fds)), make([]int16, len(fds)), make([]int16, len(fds))
	for i, fd := range fds {
		descriptors[i], events[i] = fd.Fd, fd.Events
	}
	ns := int64(-1)
	if timeout >= 0 {
		ns = int64(timeout) * int64(time.Millisecond)
	}
	n, err = poll(descriptors, events, revents, ns)
	for i := range fds {
		fds[i].Revents = revents[i]
	}
	return n, err
}
