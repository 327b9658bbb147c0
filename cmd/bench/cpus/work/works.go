package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

func nothing() {}

// all are the works, in the order of the page.
func all() []work {
	const calls = 300
	return []work{
		{"compute", 10 * calls, computing},
		{"stat, one file", calls, func(int) (func() error, func(), error) {
			var st syscall.Stat_t
			err := os.MkdirAll("a/b/c", 0o755)
			if err == nil {
				err = os.WriteFile("a/b/c/file", make([]byte, 4096), 0o644)
			}
			return func() error { return syscall.Stat("a/b/c/file", &st) }, nothing, err
		}},
		{"pread of 64 B, one file", calls, func(int) (func() error, func(), error) {
			fd, err := syscall.Open("a/b/c/file", syscall.O_RDONLY, 0)
			b := make([]byte, 64)
			return func() error { _, err := syscall.Pread(fd, b, 0); return err }, func() { syscall.Close(fd) }, err
		}},
		{"open and close, one file", calls, func(int) (func() error, func(), error) {
			return func() error {
				fd, err := syscall.Open("a/b/c/file", syscall.O_RDONLY, 0)
				if err != nil {
					return err
				}
				return syscall.Close(fd)
			}, nothing, nil
		}},
		{"create and remove, one directory", calls / 2, func(i int) (func() error, func(), error) {
			return creating(fmt.Sprintf("a/new%d", i)), nothing, nil
		}},
		{"create and remove, a directory each", calls / 2, func(i int) (func() error, func(), error) {
			dir := fmt.Sprintf("d%d", i)
			return creating(dir + "/new"), nothing, os.MkdirAll(dir, 0o755)
		}},
		{"channel there and back, a pair each", calls, func(int) (func() error, func(), error) {
			there, back := make(chan int), make(chan int)
			go func() {
				for v := range there {
					back <- v
				}
			}()
			return func() error { there <- 1; <-back; return nil }, func() { close(there) }, nil
		}},
		{"map, one each: insert, look up, delete", calls, func(i int) (func() error, func(), error) {
			m := map[string]int{}
			key := fmt.Sprint("key", i)
			return func() error { m[key] = i; _ = m[key]; delete(m, key); return nil }, nothing, nil
		}},
		{"sync.Map, one for all: look up", calls, func(i int) (func() error, func(), error) {
			key := fmt.Sprint("key", i)
			shared.Store(key, i)
			return func() error { shared.Load(key); return nil }, nothing, nil
		}},
		{"allocate 1 KiB", calls, func(int) (func() error, func(), error) {
			var sink []byte
			return func() error { sink = make([]byte, 1024); return nil }, func() { kept = sink }, nil
		}},
	}
}

var (
	shared sync.Map
	kept   []byte
)

// computing is what no lock is in: the row tells what the others have of the measuring.
func computing(int) (func() error, func(), error) {
	x := uint64(1)
	return func() error {
		for range 100 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		return nil
	}, func() { kept = append(kept[:0], byte(x)) }, nil
}

func creating(name string) func() error {
	return func() error {
		fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		if err := syscall.Close(fd); err != nil {
			return err
		}
		return syscall.Unlink(name)
	}
}
