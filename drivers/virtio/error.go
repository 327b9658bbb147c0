package virtio

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrNoMemory is wrapped by every Alloc that finds no room.
var ErrNoMemory error = noMemory{}

type noMemory struct{}

func (noMemory) Error() string { return "out of memory that devices can reach" }
func (noMemory) Unwrap() error { return syscall.ENOMEM }

// ErrClosed is the error of requests that Close cut short and of later ones.
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "virtio device is closed" }
func (closedError) Unwrap() error { return syscall.EIO }

// Error says that a device cannot be used or broke the rules. It wraps EIO.
type Error struct {
	Device  string // Transport.Name
	Queue   string // such as "queue 1 (request 0)"; empty: not about a queue
	Field   string // what the device got wrong, such as "used index"
	Problem string
}

func (e *Error) Error() string {
	s := e.Device + ": "
	if e.Queue != "" {
		s += e.Queue + ": "
	}
	return s + e.Field + ": " + e.Problem
}

func (e *Error) Unwrap() error { return syscall.EIO }

// Errorf returns an Error of device t about field.
func Errorf(t Transport, field, format string, args ...any) *Error {
	return &Error{Device: t.Name(), Field: field, Problem: fmt.Sprintf(format, args...)}
}

// named puts the device's name before an error that lacks it.
func named(t Transport, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %w", t.Name(), err)
}
