// Moves has package net carry bytes between sockets, files and pipes in the ways
// that make system calls of their own. It makes none itself, so that its image has
// those of the standard library alone.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
)

var want = bytes.Repeat([]byte("0123456789abcdef"), 20000)

func main() {
	for _, network := range []string{"tcp", "unix"} {
		try(network+" Buffers", network, func(c net.Conn) (int64, error) {
			b := net.Buffers{want[:1000], want[1000:50000], want[50000:]}
			return b.WriteTo(c)
		})
		try(network+" from file", network, func(c net.Conn) (int64, error) {
			must(os.WriteFile("/tmp/from", want, 0o600))
			f := maybe(os.Open("/tmp/from"))
			defer f.Close()
			return io.Copy(c, f)
		})
		try(network+" from pipe", network, func(c net.Conn) (int64, error) {
			r, w, err := os.Pipe()
			must(err)
			go feed(w)
			return io.Copy(c, r)
		})
		for _, source := range []string{"tcp", "unix"} {
			try(network+" from "+source, network, func(c net.Conn) (int64, error) {
				a, b := pair(source)
				go feed(a)
				return io.Copy(c, b)
			})
		}
		a, b := pair(network)
		go feed(a)
		f := maybe(os.Create("/tmp/to"))
		n, err := io.Copy(f, b)
		got := maybe(os.ReadFile("/tmp/to"))
		fmt.Println(network, "to file", n, err, bytes.Equal(got, want))
	}
}

// try has do write to a connection, and reads the other end.
func try(name, network string, do func(net.Conn) (int64, error)) {
	a, b := pair(network)
	done := make(chan string)
	go func() {
		n, err := do(a)
		a.Close()
		done <- fmt.Sprint(n, err)
	}()
	got, err := io.ReadAll(b)
	fmt.Println(name, <-done, err, bytes.Equal(got, want))
}

func pair(network string) (net.Conn, net.Conn) {
	address := "127.0.0.1:0"
	if network == "unix" {
		address = "@moves"
	}
	l := maybe(net.Listen(network, address))
	defer l.Close()
	return maybe(net.Dial(network, l.Addr().String())), maybe(l.Accept())
}

func feed(w io.WriteCloser) {
	_, err := w.Write(want)
	must(err)
	w.Close()
}

func maybe[T any](v T, err error) T {
	must(err)
	return v
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
