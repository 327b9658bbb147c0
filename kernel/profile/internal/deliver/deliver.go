// Package deliver gives a profile to the launcher, by a port of its own. A byte from
// there asks for the profile before the program's end. The answer is its length in 8
// bytes, the lowest first, and then the profile as runtime/pprof writes it.
package deliver

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"
)

// Session is a profile that is being taken.
type Session struct {
	port io.ReadWriter
	take func() *bytes.Buffer
	once sync.Once
}

// Head is room for the length, at the beginning of what take returns.
func Head() []byte { return make([]byte, 8) }

// Start begins a session with whoever is at the other end of port. take is called once:
// it ends the profile, and returns it behind a Head.
func Start(port io.ReadWriter, take func() *bytes.Buffer) *Session {
	s := &Session{port: port, take: take}
	go func() {
		if n, _ := port.Read(make([]byte, 1)); n > 0 {
			s.Finish()
		}
	}()
	return s
}

// Finish ends the profile and sends it. Every call returns once it has been sent.
func (s *Session) Finish() {
	s.once.Do(func() {
		b := s.take().Bytes()
		binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
		_, _ = s.port.Write(b) // the launcher misses what does not come
	})
}
