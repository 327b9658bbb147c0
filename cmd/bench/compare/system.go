package main

import (
	"fmt"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/lab"
	"github.com/yolkos/yolk/qemu"
)

// Guests get the same memory, and no more time than this.
const (
	guestMemory = 1 << 30 // bytes
	guestTime   = 2 * time.Minute
)

// Names of the programs that are run.
const (
	benchProgram = "bench"
	helloProgram = "hello"
)

// system is one of those that are compared.
type system struct {
	lab.System
	name  string // the key of its results
	title string
	only  string // groups of rows to measure here; empty: all but compute
}

// parallelRows are the groups for which systems with one CPU and with two are
// compared.
const parallelRows = "mixed,compute"

// parallelTurns is how often these systems have their turn in a round: they are
// quick, and what a CPU of the host does at a time varies much.
const parallelTurns = 3

// systems lists the host and, for each machine, Linux with both cache modes
// and Yolk; and all again with one CPU and with two, for the rows that show what
// the second one gives.
func systems(machines []qemu.Machine) []*system {
	list := []*system{{name: "host", title: "host"}}
	for cpus := 1; cpus <= 2; cpus++ {
		list = append(list, &system{System: lab.System{CPUs: cpus}, name: parallelName("host", "", cpus), title: "host", only: parallelRows})
	}
	for _, m := range machines {
		for _, cache := range []string{"auto", "none"} {
			list = append(list, &system{
				System: lab.System{Machine: m, Cache: qemu.Cache(cache)},
				name:   "linux-" + cache + "-" + string(m), title: "Linux, cache=" + cache,
			})
		}
		list = append(list, &system{System: lab.System{Machine: m}, name: "yolk-" + string(m), title: "Yolk"})
		for cpus := 1; cpus <= 2; cpus++ {
			list = append(list,
				&system{System: lab.System{Machine: m, Cache: "auto", CPUs: cpus}, name: parallelName("linux", m, cpus), title: "Linux", only: parallelRows},
				&system{System: lab.System{Machine: m, CPUs: cpus}, name: parallelName("yolk", m, cpus), title: "Yolk", only: parallelRows})
		}
	}
	return list
}

// parallelName is the name of a system for the rows about several CPUs.
func parallelName(what string, m qemu.Machine, cpus int) string {
	if what == "host" {
		return fmt.Sprintf("host-cpus%d", cpus)
	}
	return fmt.Sprintf("%s-%s-cpus%d", what, m, cpus)
}
