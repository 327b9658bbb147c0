// Package profile samples where the program spends its processor time, from
// before the init functions of its packages to its end, and gives the profile to
// the launcher. yolk run --profile adds it to a program, and the linker has it
// initialised right behind the kernel.
//
// The launcher gives a port for it. A byte from there asks for the profile before
// the end. The answer is its length in 8 bytes, the lowest first, and then the
// profile as runtime/pprof writes it.
package profile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime/pprof"
	"sync"
)

// portName is the name of the launcher's port.
const portName = "yolk.profile"

// session is a profile that is being taken.
type session struct {
	port io.ReadWriter
	data bytes.Buffer
	once sync.Once
}

// start begins a profile for whoever is at the other end of port.
func start(port io.ReadWriter) (*session, error) {
	s := &session{port: port}
	s.data.Write(make([]byte, 8))
	if err := pprof.StartCPUProfile(&s.data); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	go func() {
		if n, _ := port.Read(make([]byte, 1)); n > 0 {
			s.finish()
		}
	}()
	return s, nil
}

// finish ends the profile and sends it. Every call returns once it has been sent.
func (s *session) finish() {
	s.once.Do(func() {
		pprof.StopCPUProfile()
		b := s.data.Bytes()
		binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
		_, _ = s.port.Write(b) // the launcher misses what does not come
	})
}
