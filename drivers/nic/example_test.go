package nic_test

import (
	"fmt"

	"github.com/yolkos/yolk/drivers/nic"
)

// lines is a Stack that tells what arrives.
type lines chan string

type memory []byte

func (m memory) Bytes() []byte { return m }
func (m memory) Release()      {}

func (lines) Alloc(size int) nic.Buffer { return make(memory, size) }
func (lines) LinkChanged(bool)          {}
func (lines) Announce()                 {}

func (l lines) Receive(_ int, frames []nic.Received) {
	for i := range frames {
		l <- string(frames[i].Parts[0].Bytes()[nic.HeaderLen:])
		frames[i].Release()
	}
}

// Two cards and a wire.
func ExamplePair() {
	a, b := nic.Pair(nic.Address{2, 0, 0, 0, 0, 1}, nic.Address{2, 0, 0, 0, 0, 2}, nic.Options{})
	defer a.Close()
	defer b.Close()
	got := make(lines, 1)
	if err := a.Start(make(lines)); err != nil {
		fmt.Println(err)
	}
	if err := b.Start(got); err != nil {
		fmt.Println(err)
	}
	frame := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, "hello"...)
	if _, err := a.Send(0, []nic.Frame{{Data: [][]byte{frame}}}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-got)
	// Output: hello
}
