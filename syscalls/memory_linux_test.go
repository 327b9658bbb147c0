package syscalls

import (
	"testing"

	"github.com/yolkos/yolk/syscalls/memfd"
)

func newMemory(t testing.TB) Memory {
	m, err := memfd.New(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return m // not closed: a Kernel writes back from time to time
}
