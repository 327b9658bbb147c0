package fs

// InsideFile is a NotifyFile whose readiness nothing but calls of the program changes:
// no device, no host, no clock.
type InsideFile interface {
	NotifyFile
	// Inside does nothing.
	Inside()
}

// Asleep receives from c, which nothing but calls of other goroutines of the program
// sends to. Who waits here is dead when all those are, which the runtime looks for by
// the name of this function (deadAsleep).
//
//go:noinline
func Asleep(c <-chan struct{}) { <-c }
