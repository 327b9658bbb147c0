// Package calls gives a program all of Linux's system calls. It is linked into
// images of programs that may make some themselves.
package calls

import (
	_ "github.com/yolkos/yolk/kernel/sockets"
	"github.com/yolkos/yolk/syscalls"
)

func init() { syscalls.AllCalls() }
