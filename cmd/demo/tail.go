package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

func tail(p *process, args []string) error {
	f := p.flags()
	count := f.StringP("lines", "n", "10", "")
	bytes := f.UintP("bytes", "c", 0, "")
	follow := f.BoolP("follow", "f", false, "")
	if err := f.Parse(plainNumber(args)); err != nil {
		return err
	}
	number, from := strings.CutPrefix(*count, "+") // from that line on
	lines, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return usageError(fmt.Sprintf("-n %q is no number of lines", *count))
	}
	if *follow && f.NArg() > 1 {
		return usageError("-f follows one file")
	}
	return p.inputs(f.Args(), func(in input) error {
		if f.NArg() > 1 {
			p.printf("==> %s <==\n", in.name)
		}
		var last []byte
		var err error
		switch {
		case f.Changed("bytes"):
			last, err = lastBytes(in, int(*bytes))
		case from:
			err = p.linesFrom(in, lines)
		default:
			last, err = lastLines(in, int(lines))
		}
		if err != nil {
			return err
		}
		if _, err := p.out.Write(last); err != nil {
			return err
		}
		if *follow && in.name != "" {
			return p.follow(in)
		}
		return nil
	})
}

// linesFrom prints what is from a line on, counted from 1.
func (p *process) linesFrom(r io.Reader, first uint64) error {
	in := bufio.NewReader(r)
	for n := uint64(1); n < first; {
		switch _, err := in.ReadSlice('\n'); err {
		case nil:
			n++
		case bufio.ErrBufferFull:
		default:
			return notEOF(err)
		}
	}
	_, err := io.Copy(p.out, in)
	return err
}

// lastLines reads to the end and returns the last n lines.
func lastLines(r io.Reader, n int) ([]byte, error) {
	var last [][]byte // a ring of n, the oldest at next
	next := 0
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		switch {
		case len(line) == 0 || n == 0:
		case len(last) < n:
			last = append(last, line)
		default:
			last[next] = line
			next = (next + 1) % n
		}
		if err == io.EOF {
			return bytes.Join(append(last[next:len(last):len(last)], last[:next]...), nil), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// lastBytes reads to the end and returns the last n bytes.
func lastBytes(r io.Reader, n int) ([]byte, error) {
	var last []byte
	buf := make([]byte, 64<<10)
	for {
		m, err := r.Read(buf)
		last = append(last, buf[:m]...)
		if len(last) > n {
			last = append(last[:0], last[len(last)-n:]...)
		}
		if err != nil {
			return last, notEOF(err)
		}
	}
}

// follow prints what is added to a file, until it is interrupted. It looks every
// half second, as nobody tells what is changed on the host. A file that another
// has taken the place of, or that has become shorter, is read from its beginning.
func (p *process) follow(in input) error {
	file, path := in.file, p.at(in.name)
	defer func() {
		if file != in.file {
			file.Close()
		}
	}()
	for {
		n, err := io.Copy(p.out, stoppable{p: p, r: file})
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if err := p.sleep(500 * time.Millisecond); err != nil {
			return err
		}
		now, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another may come
		}
		if err != nil {
			return err
		}
		old, err := file.Stat()
		if err != nil {
			return err
		}
		if !os.SameFile(now, old) {
			next, err := os.Open(path)
			if err != nil {
				return err
			}
			if file != in.file {
				file.Close()
			}
			file = next
			continue
		}
		if at, err := file.Seek(0, io.SeekCurrent); err == nil && now.Size() < at {
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return err
			}
		}
	}
}
