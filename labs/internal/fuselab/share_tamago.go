//go:build tamago

package fuselab

import (
	"fmt"
	"os"
	"syscall"

	"github.com/yolkos/yolk/fs/fusefs/fuse"
	"github.com/yolkos/yolk/kernel"
	"github.com/yolkos/yolk/labs/internal/report"
)

// share has the kernel read the files of the share at /lab, and takes the share from
// it.
func share() (contents [][]byte, t fuse.Transport, err error) {
	for _, name := range files {
		b, err := os.ReadFile("/lab/" + name)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: start the machine with make run", err)
		}
		contents = append(contents, b)
	}
	if err := syscall.Unmount("/lab", 0); err != nil {
		return nil, nil, fmt.Errorf("unmount /lab: %w", err)
	}
	t, err = kernel.TakeShare("mount0")
	return contents, t, err
}

func checkHosted(*report.Report, Connect) {}
