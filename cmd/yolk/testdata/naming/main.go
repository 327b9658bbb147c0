// Program naming does what it is told, a line for each call, and answers with a
// line: "ok", or what went wrong.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		err := do(words[0], words[1:])
		var errno syscall.Errno
		switch {
		case err == nil:
			fmt.Println("ok")
		case errors.As(err, &errno):
			fmt.Println(errno)
		default:
			fmt.Println(err)
		}
	}
}

func do(call string, arg []string) error {
	switch call {
	case "stat":
		_, err := os.Lstat(arg[0])
		return err
	case "create": // exclusively
		f, err := os.OpenFile(arg[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			f.Close()
		}
		return err
	case "mkdir":
		return os.Mkdir(arg[0], 0o755)
	case "symlink":
		return os.Symlink("text", arg[0])
	case "link":
		return os.Link(arg[0], arg[1])
	case "remove":
		return os.Remove(arg[0])
	case "rename":
		return os.Rename(arg[0], arg[1])
	case "seek":
		return seek(arg[0])
	case "same":
		return same(arg[0], arg[1])
	case "fill":
		return fill(arg[0])
	case "list":
		return list(arg[0])
	}
	return errors.New("no such call")
}

func seek(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = d.Seek(-1, io.SeekStart)
	return err
}

func same(a, b string) error {
	x, err := os.Stat(a)
	if err != nil {
		return err
	}
	y, err := os.Stat(b)
	if err == nil && os.SameFile(x, y) {
		err = errors.New("the same file")
	}
	return err
}

// fill fills the file system of dir, removes what it has filled it with, and
// wants the space at once.
func fill(dir string) error {
	piece := make([]byte, 1<<20)
	for round := range 5 {
		f, err := os.Create(dir + "/fill")
		for err == nil {
			_, err = f.Write(piece)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("round %d: filling: %w", round, err)
		}
		if round == 2 {
			os.ReadFile(dir + "/fill")
		}
		if round == 3 {
			os.Rename(dir+"/fill", dir+"/moved")
			os.Symlink("moved", dir+"/fill")
			os.Remove(dir + "/moved")
		}
		f.Close()
		os.Remove(dir + "/fill")
		if err := os.WriteFile(dir+"/again", piece, 0o644); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if err := os.Remove(dir + "/again"); err != nil {
			return err
		}
	}
	return nil
}

// list lists dir again and again while others make and remove trees in it. Names
// that nobody touches are in every list once.
func list(dir string) error {
	const kept, lists = 100, 60
	for i := range kept {
		if err := os.WriteFile(fmt.Sprintf("%s/keep%03d", dir, i), nil, 0o644); err != nil {
			return err
		}
	}
	stop := make(chan bool)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for g := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				n := fmt.Sprintf("%s/x%d-%d", dir, g, i%100)
				os.MkdirAll(n+"/a", 0o755)
				os.WriteFile(n+"/a/f", make([]byte, 100), 0o644)
				os.Symlink("a/f", n+"/l")
				os.ReadFile(n + "/l")
				os.RemoveAll(n)
			}
		})
	}
	for i := range lists {
		l, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("list %d: %d names, %w", i, len(l), err)
		}
		seen := map[string]int{}
		for _, e := range l {
			seen[e.Name()]++
			e.Info() // so that attributes are asked for with the names
		}
		filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if name, ok := strings.CutPrefix(p, dir+"/keep"); ok {
				seen["keep"+name]++
			}
			return nil // as programs do with names that vanish
		})
		for k := range kept {
			if name := fmt.Sprintf("keep%03d", k); seen[name] != 2 {
				return fmt.Errorf("list %d: %s came %d times in a list and a walk", i, name, seen[name])
			}
		}
	}
	return nil
}
