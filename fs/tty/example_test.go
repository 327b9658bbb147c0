package tty_test

import (
	"bytes"
	"fmt"
	"io"
	"syscall"

	"github.com/yolkos/yolk/fs"
	"github.com/yolkos/yolk/fs/tmpfs"
	"github.com/yolkos/yolk/fs/tty"
)

// process is the one of the machine.
type process struct{}

func (process) Ids() (pgrp, session int) { return 1, 1 }
func (process) Signal(syscall.Signal)    {}

// keys is somebody who types.
type keys struct{ io.Reader }

func (keys) Write([]byte) (int, error) { return 0, syscall.EBADF }

// A line is read when it is ended, with its mistakes corrected.
func Example() {
	var screen bytes.Buffer
	t := tty.NewTerminals(process{}).AddConsole(&screen)
	f, err := t.Open(tmpfs.New(tmpfs.Limits{}).Root(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	t.Input(keys{bytes.NewReader([]byte("hex\x7fllo\n"))})
	p := make([]byte, 64)
	n, err := f.(fs.Stream).Read(p)
	fmt.Printf("%q %v\n", p[:n], err)
	// Output: "hello\n" <nil>
}
