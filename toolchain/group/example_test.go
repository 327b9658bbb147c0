package group_test

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/yolkos/yolk/toolchain/group"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	fmt.Println(group.Run(exec.CommandContext(ctx, "sh", "-c", "sleep 1000 & wait")))
	// Output: signal: killed
}
