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
	t.Cleanup(func() { m.Close() })
	return m
}
