package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A question to the launcher is a number of 8 bytes; the answer is that number
// and the launcher's clock, in nanoseconds since 1970. Both are little endian.
const (
	questionSize = 8
	answerSize   = 16
)

// Of several answers the one that came soonest tells the time best.
const (
	questions = 8
	soon      = 100_000 // ns, half of the way there and back: no need to ask again
)

// latest is the last time that is believed, in nanoseconds since 1970: in the
// year 2116.
const latest = 1 << 62

// ErrLate is the error of a launcher that does not answer.
var ErrLate = errors.New("the launcher has not told the time")

// Launcher asks the launcher for the time.
type Launcher struct {
	port    io.Writer
	now     func() Reading
	number  uint64
	answers chan answer
}

type answer struct {
	number uint64
	wall   int64
	at     Reading // when it had come
}

// NewLauncher returns the launcher at the other end of port. now reads the guest's
// clocks.
func NewLauncher(port io.ReadWriter, now func() Reading) *Launcher {
	l := &Launcher{port: port, now: now, answers: make(chan answer, questions)}
	go l.receive(port)
	return l
}

// receive passes the answers on until the port ends. Those that nobody waits for
// any more are dropped.
func (l *Launcher) receive(port io.Reader) {
	defer close(l.answers)
	var b [answerSize]byte
	for {
		if _, err := io.ReadFull(port, b[:]); err != nil {
			return
		}
		a := answer{binary.LittleEndian.Uint64(b[:]), int64(binary.LittleEndian.Uint64(b[8:])), l.now()}
		select {
		case l.answers <- a:
		default:
		}
	}
}

// Sample asks a few times and returns the best answer. It gives up at the time
// limit.
func (l *Launcher) Sample(limit time.Duration) (best Sample, err error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	err = ErrLate
	for range questions {
		s, askErr := l.ask(late.C)
		if askErr != nil {
			if err != nil {
				err = askErr
			}
			break
		}
		if err != nil || s.Err < best.Err {
			best, err = s, nil
		}
		if best.Err <= soon {
			break
		}
	}
	return best, err
}

// ask asks once.
func (l *Launcher) ask(late <-chan time.Time) (Sample, error) {
	l.number++
	var b [questionSize]byte
	binary.LittleEndian.PutUint64(b[:], l.number)
	asked := l.now()
	if _, err := l.port.Write(b[:]); err != nil {
		return Sample{}, err
	}
	for {
		select {
		case <-late:
			return Sample{}, ErrLate
		case a, ok := <-l.answers:
			if !ok {
				return Sample{}, io.ErrUnexpectedEOF
			}
			if a.number != l.number {
				continue // of a question that was given up
			}
			if a.wall < 0 || a.wall > latest {
				return Sample{}, fmt.Errorf("the launcher's clock shows %d ns since 1970: not between 0 and %d", a.wall, int64(latest))
			}
			took := a.at.Raw - asked.Raw
			return Sample{
				At:   Reading{asked.Raw + took/2, asked.Wall + (a.at.Wall-asked.Wall)/2},
				Wall: a.wall,
				Err:  took/2 + 1,
			}, nil
		}
	}
}
