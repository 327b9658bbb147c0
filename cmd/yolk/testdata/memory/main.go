// The program of TestGuestMemory uses memory in a way that its arguments name, up
// to a number of MiB, checks its contents, and prints what the runtime has.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"unsafe"
)

const mib = 1 << 20

var kinds = map[string]func(live int){
	"blocks": func(live int) { replace(live, 20, func(uint64) int { return 64 << 10 }) },
	"small":  func(live int) { replace(live, 10, func(r uint64) int { return 32 + int(r%480) }) },
	"odd":    func(live int) { replace(live, 20, func(r uint64) int { return 33<<10 + int(r%(3*mib)) }) },
	"mixed":  func(live int) { replace(live, 20, mixed) },
	"map":    growMap,
	"append": appendTo,
	"buffer": buffer,
	"holes":  holes,
	"stacks": stacks,
	"deep":   deep,
	"pair":   pair,
	"files":  files,
	"zero": func(live int) {
		if n := len(bytes.Trim(make([]byte, live), "\x00")); n > 0 {
			panic(fmt.Sprint(n, " bytes of a new block are not zero"))
		}
	},
	"untouched": func(live int) {
		large := make([]byte, live)
		large[live/2] = 1
		fmt.Println("there")
		io.Copy(io.Discard, os.Stdin)
		runtime.KeepAlive(large)
	},
	"toomuch": func(live int) {
		var keep [][]byte
		for {
			keep = append(keep, make([]byte, live))
			clear(keep[len(keep)-1])
		}
	},
	"endless": func(int) { descend(1 << 60) },
	"crowded": func(live int) {
		keep := make([]byte, live)
		for i := range keep {
			keep[i] = 1
		}
		descend(1 << 60)
		runtime.KeepAlive(keep)
	},
	"many": func(int) {
		for range 3 {
			go descend(1 << 60)
		}
		select {}
	},
}

func main() {
	live, err := strconv.Atoi(os.Args[2])
	f := kinds[os.Args[1]]
	if err != nil || f == nil {
		panic(os.Args)
	}
	f(live * mib)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("system", m.Sys, "limit", debug.SetMemoryLimit(-1), "collections", m.NumGC)
}

// random is a generator of Lehmer's, the same everywhere.
type random uint64

func (r *random) next() uint64 {
	*r = *r * 48271 % (1<<31 - 1)
	return uint64(*r)
}

// mixed has many small sizes and a few large ones.
func mixed(r uint64) int {
	switch {
	case r%100 == 0:
		return 2*mib + int(r>>8%mib)
	case r%10 == 0:
		return 20<<10 + int(r>>8%(200<<10))
	}
	return 64 + int(r>>8%4096)
}

func mark(b []byte, v uint64) []byte {
	binary.LittleEndian.PutUint64(b, v)
	binary.LittleEndian.PutUint64(b[len(b)-8:], v)
	return b
}

func check(b []byte, v uint64) {
	first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	if first != v || last != v {
		panic(fmt.Sprintf("a block of %d bytes has %#x and %#x in place of %#x", len(b), first, last, v))
	}
}

// zero wants that new memory is.
func zero(b []byte) []byte {
	for i := 0; i < len(b); i += 1000 {
		if b[i] != 0 {
			panic(fmt.Sprintf("byte %d of a new block of %d is %#x", i, len(b), b[i]))
		}
	}
	return b
}

// replace keeps live bytes in blocks of changing sizes, and makes garbage of all of
// them rounds times.
func replace(live, rounds int, size func(uint64) int) {
	r := random(1)
	var keep [][]byte
	var values []uint64
	total := 0
	for total < live {
		v := r.next()
		keep = append(keep, mark(make([]byte, size(v)), v))
		values = append(values, v)
		total += len(keep[len(keep)-1])
	}
	for garbage, i := 0, 0; garbage < rounds*live; i = (i + 1) % len(keep) {
		check(keep[i], values[i])
		total -= len(keep[i])
		garbage += len(keep[i])
		v := r.next()
		n := size(v)
		if total+n > live {
			n = 64
		}
		keep[i], values[i] = nil, v
		keep[i] = mark(zero(make([]byte, n)), v)
		total += n
	}
}

func growMap(live int) {
	for range 3 {
		m := map[int][2]int{}
		for i := range live / 70 {
			m[i] = [2]int{i, ^i}
		}
		for i := range live / 70 {
			if v := m[i]; v != [2]int{i, ^i} {
				panic(fmt.Sprint(i, v))
			}
		}
	}
}

// appendTo lets slices grow to live bytes, from different sizes.
func appendTo(live int) {
	for first := range 8 {
		s := make([]int, 1000+300*first)
		for i := range s {
			s[i] = i
		}
		for len(s) < live/8 {
			s = append(s, len(s))
		}
		for i, v := range s {
			if i != v {
				panic(fmt.Sprint(i, v))
			}
		}
	}
}

func buffer(live int) {
	for range 4 {
		var b bytes.Buffer
		chunk := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
		for b.Len() < live {
			b.Write(chunk)
		}
		for b.Len() > 0 {
			if !bytes.Equal(b.Next(len(chunk)), chunk) {
				panic("a buffer changed")
			}
		}
	}
}

// holes frees every second of many blocks and wants the room for a single one.
func holes(live int) {
	for size := 8 << 10; size <= mib; size *= 4 {
		keep := make([][]byte, live/size)
		for i := range keep {
			keep[i] = mark(make([]byte, size), uint64(i))
		}
		for i := 0; i < len(keep); i += 2 {
			keep[i] = nil
		}
		large := mark(zero(make([]byte, live/2-mib)), 7)
		for i := 1; i < len(keep); i += 2 {
			check(keep[i], uint64(i))
		}
		check(large, 7)
	}
}

// files has a block whose pages lie here and there written to a file and read back.
func files(live int) {
	keep := make([][]byte, live/(8<<10))
	for i := range keep {
		keep[i] = make([]byte, 8<<10)
	}
	for i := 0; i < len(keep); i += 2 {
		keep[i] = nil
	}
	large := make([]byte, live/2-mib)
	if address := uintptr(unsafe.Pointer(&large[0])); address < 1<<32 {
		panic(fmt.Sprintf("the block at %#x had room: nothing is tested", address))
	}
	r := random(1)
	for i := 0; i < len(large); i += 8 {
		binary.LittleEndian.PutUint64(large[i:], r.next())
	}
	sum := sha256.Sum256(large)
	// Whole, and in pieces that start anywhere.
	for _, piece := range []int{len(large), 100_003, 5000} {
		if err := os.WriteFile("/file", nil, 0o600); err != nil {
			panic(err)
		}
		f, err := os.OpenFile("/file", os.O_RDWR, 0)
		if err != nil {
			panic(err)
		}
		for at := 0; at < len(large); at += piece {
			if _, err := f.Write(large[at:min(at+piece, len(large))]); err != nil {
				panic(err)
			}
		}
		clear(large)
		f.Seek(0, io.SeekStart)
		for at := 0; at < len(large); at += piece {
			if _, err := io.ReadFull(f, large[at:min(at+piece, len(large))]); err != nil {
				panic(err)
			}
		}
		f.Close()
		if sha256.Sum256(large) != sum {
			panic("the file has something else")
		}
	}
	runtime.KeepAlive(keep)
}

// descend uses n bytes of stack.
func descend(n int) int {
	var frame [1000]byte
	if n > 0 {
		frame[n%len(frame)] = byte(1 + descend(n-1100)%2)
	}
	return int(frame[max(n, 0)%len(frame)])
}

// stacks has goroutines with stacks of different sizes.
func stacks(live int) {
	for range 4 {
		var wg sync.WaitGroup
		hold := make(chan bool)
		for i := range live / (64 << 10) {
			wg.Go(func() {
				descend(10<<10 + i%32<<10)
				<-hold
			})
		}
		runtime.GC()
		close(hold)
		wg.Wait()
	}
}

// deep has one stack of live bytes, when the heap is full of garbage.
func deep(live int) {
	for range 2 {
		var garbage []byte
		for range 400 {
			garbage = mark(make([]byte, mib), 1)
		}
		check(garbage, 1)
		done := make(chan int)
		go func() { done <- descend(live) }()
		<-done
	}
}

// pair has two goroutines that take large blocks at the same time.
func pair(live int) {
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { replace(live/2, 20, func(r uint64) int { return 2*mib + int(r%(4*mib)) }) })
	}
	wg.Wait()
}
