//go:build tamago

package syscalls

import (
	"testing"

	"github.com/yolkos/yolk/arch/amd64"
)

func newMemory(testing.TB) Memory { return amd64.Aliases{} }
