package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	_ "github.com/yolkos/yolk/arch/amd64"
)

type T struct{ a, b int }

func nilderef(p *T) (err error) {
	defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
	return fmt.Errorf("%d", p.b)
}

func main() {
	fmt.Println("hello", runtime.GOOS, runtime.Version(), os.Args)
	t := time.Now()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("slept", time.Since(t))
	fmt.Println(nilderef(nil))
	done := false
	go func() {
		time.Sleep(20 * time.Millisecond)
		done = true
		println("preempted ok")
		locked := make(chan int)
		go func() { runtime.LockOSThread(); locked <- 1; time.Sleep(time.Millisecond); locked <- 2 }()
		fmt.Println(<-locked, <-locked)
		runtime.GOMAXPROCS(4)
		fmt.Println("procs", runtime.GOMAXPROCS(0))
		var x []byte
		for i := 0; i < 200; i++ {
			x = make([]byte, 1<<20)
			x[5] = 1
		}
		runtime.GC()
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms)
		fmt.Println("gc", ms.NumGC, ms.Sys>>20)
		fmt.Println(time.Now())
		var p *int
		if len(os.Args) > 5 {
			p = new(int)
		}
		*p = 5
	}()
	for i := 0; ; i++ {
		if i < 0 {
			break
		}
	}
	_ = done
}
