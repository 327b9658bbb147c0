package main

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yolkos/yolk/cmd/yolk/internal/scratch"
	"github.com/yolkos/yolk/qemu"
)

// crashTitle is the first line of a report.
const crashTitle = "yolk crash report"

// crashReport is the file for --crash.
type crashReport struct {
	path  string
	image *os.File // to read what is in it; the one that is run gets closed
	name  string
}

// prepareCrash has a crash reported to a file. A report that is there already is of
// another run, and goes.
func prepareCrash(path, name string, o *qemu.Options) (*crashReport, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("--crash %s: %w", path, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("--crash %s: %s is not a directory", path, filepath.Dir(path))
	}
	if err := removeReport(path); err != nil {
		return nil, fmt.Errorf("--crash %s: %w", path, err)
	}
	image, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", o.Kernel.Fd()))
	if err != nil {
		return nil, err
	}
	c := &crashReport{path: path, image: image, name: name}
	o.OnCrash = func(crash *qemu.Crash) (note string) {
		if err := c.write(o, crash); err != nil {
			return fmt.Sprintf("no crash report: %v", err)
		}
		return fmt.Sprintf("the crash report is in %s", c.path)
	}
	return c, nil
}

// removeReport removes a report, and nothing else.
func removeReport(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is there, and is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, int64(len(crashTitle))+1)).ReadString('\n')
	if err == nil && line == crashTitle+"\n" {
		return os.Remove(path)
	}
	return errors.New("there is such a file, and it is no crash report")
}

func (c *crashReport) close() {
	if c != nil {
		c.image.Close()
	}
}

// write writes the report, all of it or nothing. Only this user can read it: it may
// have anything of the program in it.
func (c *crashReport) write(o *qemu.Options, crash *qemu.Crash) error {
	dir, err := scratch.Beside(c.path)
	if err != nil {
		return err
	}
	defer dir.Remove()
	whole := filepath.Join(dir.Path, "report")
	if err := os.WriteFile(whole, c.text(o, crash), 0o600); err != nil {
		return err
	}
	return os.Rename(whole, c.path)
}

func (c *crashReport) text(o *qemu.Options, crash *qemu.Crash) []byte {
	var b bytes.Buffer
	now := time.Now()
	fmt.Fprintf(&b, "%s\n\n", crashTitle)
	for _, line := range [][2]string{
		{"reason", crash.Why},
		{"first word", firstWord(crash.Console)},
		{"time", now.Format(time.RFC3339Nano)},
		{"after", now.Sub(crash.Started).Round(time.Millisecond).String()},
		{"program", fmt.Sprintf("%q", o.Args)},
		{"image", c.name},
		{"machine", fmt.Sprintf("%s, %s, %d CPUs, %d MiB", o.Machine, o.Accel, max(o.CPUs, 1), o.Memory>>20)},
		{"host", hostKernel()},
		{"yolk", version()},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-11s %s\n", line[0]+":", line[1])
		}
	}
	section := func(title string, text []byte) {
		fmt.Fprintf(&b, "\n== %s\n\n", title)
		if len(text) == 0 {
			text = []byte("(nothing)")
		}
		b.Write(bytes.TrimRight(text, "\n"))
		b.WriteByte('\n')
	}
	section("console: panics, traces of goroutines, exceptions", crash.Console)
	section("registers", []byte(crash.Registers))
	section("kernel's log", crash.Log)
	section("build", c.build())
	section("QEMU", []byte(crash.QEMU+"\n"+crash.Command))
	return b.Bytes()
}

// firstWord is the line of a console that says what has happened.
func firstWord(console []byte) string {
	for line := range bytes.Lines(console) {
		for _, begins := range []string{"panic: ", "fatal error: ", "yolk: exception ", "SIGQUIT: "} {
			if bytes.HasPrefix(line, []byte(begins)) {
				return strings.TrimSpace(string(line))
			}
		}
	}
	return ""
}

// build is what go version -m tells of the image.
func (c *crashReport) build() []byte {
	info, err := buildinfo.Read(c.image)
	if err != nil {
		return []byte(err.Error())
	}
	return []byte(info.String())
}

// hostKernel is the system that this runs on.
func hostKernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s", unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]))
}
