package guest

import (
	"fmt"
	"strconv"
	"strings"
)

// Done is the last line of a program of Main's that went well.
const Done = "program done"

const failure = "program failed "

// Failure is the line of an error, and ParseFailure reads it.
func Failure(err error) string { return failure + strconv.Quote(err.Error()) }

// ParseFailure reads the line of an error.
func ParseFailure(line string) (text string, ok bool) {
	quoted, ok := strings.CutPrefix(line, failure)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(quoted)
	return text, err == nil
}

// Main is a program whose lines lab.Collect takes: it prepares a guest, runs run with the arguments,
// tells how that went, and ends the program and the guest.
func Main(run func(args []string) error) {
	args, err := Start()
	if err == nil {
		err = run(args)
	}
	if err != nil {
		fmt.Println(Failure(err))
		Exit(1)
	}
	fmt.Println(Done)
	Exit(0)
}
