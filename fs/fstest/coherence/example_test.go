package coherence_test

import (
	"fmt"

	"github.com/yolkos/yolk/fs/fstest"
	"github.com/yolkos/yolk/fs/fstest/coherence"
	"github.com/yolkos/yolk/fs/tmpfs"
)

func ExamplePlay() {
	k := fstest.NewKernel(tmpfs.New(tmpfs.Limits{}))
	fmt.Println(coherence.Play(k, "/", coherence.Config{Seed: 1, Workers: 3, Calls: 100}))
	// Output: <nil>
}
