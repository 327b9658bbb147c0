//go:build tamago

package network

import (
	"fmt"
	"os"
	"syscall"

	"github.com/yolkos/yolk/arch/amd64"
	_ "github.com/yolkos/yolk/kernel/sockets"
	"github.com/yolkos/yolk/netstack"
	"github.com/yolkos/yolk/syscalls"
)

func init() {
	memory, _ := amd64.Memory()
	s, err := netstack.New(netstack.Options{Memory: memory})
	if err != nil {
		fmt.Fprintln(os.Stderr, "network:", err)
		return
	}
	k := syscalls.Bound()
	for _, family := range []int{syscall.AF_INET, syscall.AF_INET6} {
		k.Families[family] = s.Family(family)
	}
}
