//go:build tamago

package calls

import (
	"github.com/yolkos/yolk/arch/amd64"
	"github.com/yolkos/yolk/syscalls"
)

// What a program passes in calls of its own may lead anywhere.
func init() { syscalls.Mapped = amd64.Mapped }
