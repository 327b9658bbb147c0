// Command machine says what machine it runs on, and whether that works: it ends with
// status 7.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	fmt.Printf("args %q\n", os.Args)
	fmt.Printf("env %q\n", os.Getenv("MACHINE"))
	fmt.Printf("cpus %d\n", runtime.NumCPU())
	// Goroutines that wait for each other run on several CPUs, or take turns.
	tokens := make(chan int)
	for range 2 * runtime.NumCPU() {
		go func() { tokens <- <-tokens + 1 }()
	}
	tokens <- 0
	start := time.Now()
	time.Sleep(20 * time.Millisecond)
	if d := time.Since(start); d < 20*time.Millisecond {
		fmt.Printf("a sleep of 20 ms took %v\n", d)
	}
	fmt.Printf("counted %v\n", <-tokens > 0)
	// The collector stops all CPUs.
	var m runtime.MemStats
	keep := make([][]byte, 0, 8)
	for range 8 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		keep = append(keep, b)
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	fmt.Printf("collected %v, kept %v\n", m.NumGC > 0, len(keep))
	if len(os.Args) > 1 && os.Args[1] == "read" {
		var line string
		fmt.Scanln(&line)
		fmt.Printf("read %q\n", line)
	}
	if len(os.Args) > 2 && os.Args[1] == "open" {
		_, err := os.ReadFile(os.Args[2])
		fmt.Println(err)
	}
	text, _ := os.ReadFile("/proc/interrupts")
	fmt.Printf("interrupts %v\n", len(text) > 0)
	fmt.Println("done")
	os.Exit(7)
}
