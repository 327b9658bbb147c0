package qemu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// The packages kernel/profile and kernel/profile/locks, if they are part of the image,
// send a profile each, by the ports yolk.profile and yolk.locks: its length in 8 bytes,
// then its bytes. A byte from this side asks for it before the program's end.

// profileTime is how long a guest that is to be ended may take for its profile.
const profileTime = 10 * time.Second

// maxProfile is the largest profile that is taken from a guest, in bytes.
const maxProfile = 256 << 20

// ErrNoProfile is the error of a run whose program ended without its profile.
var ErrNoProfile = errors.New("the program could not send its profile before its end")

// profile is one that comes from the guest.
type profile struct {
	port io.ReadWriter
	done chan struct{} // closed when it is there, or will never be
	err  error         // why it is not there; valid after done
}

// receiveProfile writes the profile to w, in one piece, once the guest has sent
// it. Errors begin with name, what it is.
func receiveProfile(name string, port io.ReadWriter, w io.Writer) *profile {
	p := &profile{port: port, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		data, err := readProfile(port)
		if err != nil {
			err = fmt.Errorf("no %s: %w", name, err)
		} else {
			_, err = w.Write(data)
		}
		p.err = err
	}()
	return p
}

func readProfile(port io.Reader) ([]byte, error) {
	var size uint64
	if err := binary.Read(port, binary.LittleEndian, &size); err != nil {
		return nil, ErrNoProfile
	}
	if size > maxProfile {
		return nil, fmt.Errorf("profile of %d bytes: at most %d are taken", size, maxProfile)
	}
	data, err := io.ReadAll(io.LimitReader(port, int64(size)))
	if err == nil && len(data) < int(size) {
		err = fmt.Errorf("%w: %d of its %d bytes came", ErrNoProfile, len(data), size)
	}
	return data, err
}

// ask asks the guest for its profile.
func (p *profile) ask() {
	_, _ = p.port.Write([]byte{1}) // a guest that is gone closes done
}

// askForProfiles asks the guest for its profiles and waits for them, but not for long.
func (g *guest) askForProfiles() {
	for _, p := range g.profiles {
		p.ask()
	}
	late := time.After(profileTime)
	for _, p := range g.profiles {
		select {
		case <-p.done:
		case <-late:
			return
		}
	}
}
