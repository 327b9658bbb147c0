package fs

// InsideFile is a NotifyFile that may say that nothing but calls of the program changes
// what it is ready for: no device, no host, no clock.
type InsideFile interface {
	NotifyFile
	Inside() bool
}

// Inside reports whether f is an InsideFile and says so.
func Inside(f any) bool {
	i, ok := f.(InsideFile)
	return ok && i.Inside()
}

// Asleep receives from c, which nothing but calls of other goroutines of the program
// sends to. Who waits here is dead when all those are, which the runtime looks for by
// the name of this function (deadAsleep).
//
//go:noinline
func Asleep(c <-chan struct{}) { <-c }
