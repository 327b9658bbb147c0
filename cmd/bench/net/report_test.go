package main

import (
	"strings"
	"testing"

	"github.com/yolkos/yolk/qemu"
)

func TestSection(t *testing.T) {
	r := &results{machines: []qemu.Machine{qemu.MicroVM}, values: map[key][]float64{}}
	for _, v := range []float64{100, 900, 200} {
		r.add(qemu.MicroVM, linux, "http-1", v)
		r.add(qemu.MicroVM, linux, "http-1-cpu", v)
	}
	r.add(qemu.MicroVM, yolk, "http-1", 600)
	r.add(qemu.MicroVM, yolk, "http-1-cpu", 400)
	text := r.section()
	for _, want := range []string{
		"| HTTP, keep-alive, connections: 1 | requests/s | 200 | 600 | **3.00** |",
		"| HTTP, keep-alive, connections: 1, CPU | µs each | 200 | 400 | 0.500 |",
		"| UDP, one after the other | round trips/s | – | – | – |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
