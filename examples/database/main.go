// Command database fills an embedded database with transactions whose contents
// follow from their numbers, so that they can be verified after a crash.
package main

import (
	"fmt"
	"os"
	"strconv"
)

const usage = `usage: database fill DIR [N]     commit transactions up to number N (default: without end)
       database verify DIR [N]   verify all transactions; there must be N at least`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "database:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return fmt.Errorf("%d arguments\n%s", len(args), usage)
	}
	n := 0
	if len(args) == 3 {
		var err error
		if n, err = strconv.Atoi(args[2]); err != nil || n < 1 {
			return fmt.Errorf("number of transactions %q: want one from 1 on", args[2])
		}
	}
	var do func(s *store, n int) error
	switch args[0] {
	case "fill":
		do = fill
	case "verify":
		do = verify
	default:
		return fmt.Errorf("command %q\n%s", args[0], usage)
	}
	s, err := open(args[1])
	if err != nil {
		return err
	}
	if err := do(s, n); err != nil {
		s.close()
		return err
	}
	return s.close()
}

// fill verifies what is there and goes on from there, up to transaction n or,
// if that is 0, until it is stopped. A number that it has printed is on disk.
func fill(s *store, n int) error {
	last, err := s.verify()
	if err != nil {
		return err
	}
	fmt.Println("verified", last)
	for last++; n == 0 || last <= n; last++ {
		if err := s.commit(last); err != nil {
			return fmt.Errorf("commit transaction %d: %w", last, err)
		}
		fmt.Println("committed", last)
	}
	return nil
}

func verify(s *store, n int) error {
	last, err := s.verify()
	if err != nil {
		return err
	}
	if last < n {
		return fmt.Errorf("transaction %d is missing; the last one is %d", n, last)
	}
	fmt.Println("verified", last)
	return nil
}
