package hostwatch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yolkos/yolk/qemu/hostwatch"
)

// names is a Sink that passes on the names of events.
type names chan string

func (n names) Event(_, _, _ uint32, name string) { n <- name }
func (names) Lost()                               {}
func (names) Synced(uint64)                       {}

func Example() {
	dir, err := os.MkdirTemp("", "hostwatch-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		fmt.Println(err)
		return
	}
	sink := make(names, 100)
	w, err := hostwatch.New(map[string]string{"root": dir}, sink)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	fmt.Println(w.Watch(1, "root", st.Ino, "/"))
	if err := os.Mkdir(filepath.Join(dir, "new"), 0o755); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-sink)
	// Output:
	// <nil>
	// new
}
