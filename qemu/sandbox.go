package qemu

import (
	"errors"
	"fmt"
	"strings"
)

// errNoSandbox is the end of a QEMU that has no filter of system calls, or runs on a
// system that takes none.
var errNoSandbox = errors.New("QEMU has no sandbox here")

// lacksSandbox reports whether QEMU has ended for want of its sandbox, in its words.
func (g *guest) lacksSandbox() error {
	words := g.qemu.errs.words()
	if !g.config.Sandbox || closed(g.control.main) || g.qemu.err == nil || !strings.Contains(words, "sandbox") && !strings.Contains(words, "seccomp") {
		return nil
	}
	return fmt.Errorf("%w: %s", errNoSandbox, words)
}
