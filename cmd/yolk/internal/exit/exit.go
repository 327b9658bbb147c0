// Package exit has the statuses that yolk ends with.
package exit

import "fmt"

// The statuses that yolk ends with where it is not that of a program, of
// go test or of another go command. They are those of timeout(1).
const (
	Timeout = 124 // --timeout ended the program
	Failed  = 125 // yolk could not do what it was asked for
)

// Status is an error that carries nothing but the status to end with:
// what there is to say has been said.
type Status int

func (s Status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
