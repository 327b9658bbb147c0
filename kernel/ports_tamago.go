//go:build tamago

package kernel

import (
	"io"
	"time"
	_ "unsafe" // for go:linkname
)

//go:linkname atPanic runtime.atPanic
func atPanic(f func())

// Port opens a port of the launcher's virtio console.
func Port(name string) (io.ReadWriter, bool) {
	return booted.streams.find(name)
}

// Log adds a line to the kernel's log.
func Log(line string) { booted.log.Print(line) }

// Logf does, as fmt.Printf has it.
func Logf(format string, args ...any) { booted.logf(format, args...) }

// Setting returns one of the launcher's settings, "" if it says nothing.
func Setting(key string) string { return booted.flags[key] }

// AtExit has f called before the program ends by the return of main, or os.Exit.
func AtExit(f func()) { atExit(f) }

// panicTime is how long a panic may be held up.
const panicTime = 2 * time.Second

// atEnds are the functions that AtEnd was given.
var atEnds []func()

// AtEnd has f called before the program ends: by the return of main, by os.Exit,
// or by a panic that nothing recovers, which all of them together hold up for a short time at
// most. A fatal error of the runtime leaves no time for that. It is called by init functions
// of the kernel's packages.
func AtEnd(f func()) {
	atExit(f)
	atEnds = append(atEnds, f)
	atPanic(func() {
		done := make(chan struct{})
		go func() {
			for _, f := range atEnds {
				f()
			}
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(panicTime): // the goroutine may hold what they need
		}
	})
}
