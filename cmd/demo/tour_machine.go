package main

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func (t *tour) memory() error {
	name, cpus, err := t.cpuModel()
	if err != nil {
		return err
	}
	m, err := t.meminfo()
	if err != nil {
		return err
	}
	t.printf("%d × %s, %s of memory, %s of it free\n", cpus, name, size(m["MemTotal"]), size(m["MemFree"]))
	switch {
	case cpus != runtime.NumCPU():
		return fmt.Errorf("the kernel has %d processors and the runtime %d", cpus, runtime.NumCPU())
	case m["MemTotal"] < 32<<20 || m["MemFree"] > m["MemTotal"]:
		return errors.New("that cannot be")
	}
	return nil
}

func (t *tour) devices() error {
	var out bytes.Buffer
	c := *t.process
	c.out = &out
	if err := lspci(&c, nil); err != nil {
		return err
	}
	t.lines(out.Bytes(), 12)
	virtio, err := t.procFile("yolk/virtio")
	if err != nil {
		return err
	}
	fuse, err := t.procFile("yolk/fuse")
	if err != nil {
		return err
	}
	t.printf("The queues of the virtio devices, and the requests to the file server so far:\n")
	t.lines(virtio, 8)
	t.lines(fuse, 8)
	if len(virtio) == 0 || len(fuse) == 0 {
		return errors.New("there is no virtio-fs device: give the guest a root directory, yolk run --root DIR")
	}
	return nil
}

func (t *tour) mountTable() error {
	if err := mount(t.process, nil); err != nil {
		return err
	}
	list, err := t.mounts()
	if err != nil {
		return err
	}
	log, _ := t.procFile("kmsg")
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, " is hidden by ") {
			t.printf("the log has: %s", line)
		}
	}
	kinds := make(map[string]string)
	for _, m := range list {
		kinds[m.path] = m.kind
	}
	for _, want := range []mounted{{path: "/", kind: "virtiofs"}, {path: "/tmp", kind: "tmpfs"}, {path: "/proc", kind: "proc"}, {path: "/dev", kind: "devtmpfs"}} {
		if kinds[want.path] != want.kind {
			return fmt.Errorf("%s is a file system of type %q, not %s", want.path, kinds[want.path], want.kind)
		}
	}
	return nil
}

func (t *tour) clock() error {
	const nap = 100 * time.Millisecond
	_, idle, err := t.uptime()
	if err != nil {
		return err
	}
	start := time.Now()
	time.Sleep(nap)
	slept := time.Since(start)
	_, after, err := t.uptime()
	if err != nil {
		return err
	}
	t.printf("It is %s.\n", start.UTC().Format(time.RFC1123))
	t.printf("Slept %v; the processor was idle for about %v of that.\n", slept.Round(10*time.Microsecond), after-idle)
	switch {
	case slept < nap || slept > time.Minute:
		return fmt.Errorf("%v is no sleep of %v", slept, nap)
	case start.Year() < 2024:
		return errors.New("the machine's clock is wrong")
	}
	return nil
}

func (t *tour) goroutines() error {
	const n = 1000
	var group sync.WaitGroup
	sum := make(chan int, 10)
	for i := range n {
		group.Go(func() {
			time.Sleep(time.Duration(i%10) * time.Millisecond)
			sum <- i
		})
	}
	go func() { group.Wait(); close(sum) }()
	total := 0
	for i := range sum {
		total += i
	}
	t.printf("%d goroutines slept up to 9 ms each and sent numbers; their sum is %d.\n", n, total)
	if total != n*(n-1)/2 {
		return fmt.Errorf("the sum of the numbers below %d is %d", n, n*(n-1)/2)
	}
	if err := t.preemption(); err != nil {
		return err
	}
	return t.collection()
}

// preemption has a timer end a loop that calls nothing and so never yields.
func (t *tour) preemption() error {
	var stop atomic.Bool
	start := time.Now()
	time.AfterFunc(20*time.Millisecond, func() { stop.Store(true) })
	rounds := 0
	for !stop.Load() {
		rounds++
	}
	t.printf("A busy loop was interrupted after %v, in round %d.\n", time.Since(start).Round(time.Millisecond), rounds)
	return nil
}

// collection makes more garbage than there is memory for.
func (t *tour) collection() error {
	m, err := t.meminfo()
	if err != nil {
		return err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	total := min(m["MemTotal"]*5/4, 512<<20)
	for made := uint64(0); made < total; made += 1 << 20 {
		garbage = make([]byte, 1<<20)
	}
	garbage = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.printf("%s of garbage was made and collected, in %d collections; the heap has %s.\n",
		size(after.TotalAlloc-before.TotalAlloc), after.NumGC-before.NumGC, size(after.HeapInuse))
	if after.NumGC == before.NumGC || after.TotalAlloc-before.TotalAlloc < total {
		return errors.New("nothing was collected")
	}
	return nil
}

var (
	garbage []byte // makes each piece escape to the heap
	result  int    // makes the compiler compute it
)

func (t *tour) panics() error {
	var nothing *int
	var none map[string]int
	list := []int{1, 2, 3}
	zero := len(list) - 3
	for _, p := range []struct {
		name string
		run  func()
	}{
		{"reading through a nil pointer", func() { result = *nothing }},
		{"dividing by zero", func() { result = 1 / zero }},
		{"an index out of range", func() { result = list[zero+3] }},
		{"writing to a nil map", func() { none["a"] = 1 }},
	} {
		err := caught(p.run)
		t.printf("%s: %v\n", p.name, err)
		var fault runtime.Error
		if !errors.As(err, &fault) {
			return fmt.Errorf("%s: no runtime error", p.name)
		}
	}
	return nil
}

// caught returns what f panics with.
func caught(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

func (t *tour) log() error {
	data, err := t.procFile("kmsg")
	if err != nil {
		return err
	}
	t.lines(data, -5)
	if !strings.HasPrefix(string(data), "[") {
		return errors.New("the log does not begin with the time of a message")
	}
	return nil
}
