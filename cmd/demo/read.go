package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

func cat(p *process, args []string) error {
	f := p.flags()
	number := f.BoolP("number", "n", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	lines := 0
	return p.inputs(f.Args(), func(in input) error {
		if !*number {
			_, err := io.Copy(p.out, in)
			return err
		}
		return eachLine(in, func(line string) error {
			lines++
			_, err := fmt.Fprintf(p.out, "%6d\t%s\n", lines, line)
			return err
		})
	})
}

func head(p *process, args []string) error {
	f := p.flags()
	lines := f.Uint64P("lines", "n", 10, "")
	bytes := f.Uint64P("bytes", "c", 0, "")
	if err := f.Parse(plainNumber(args)); err != nil {
		return err
	}
	return p.inputs(f.Args(), func(in input) error {
		if f.NArg() > 1 {
			p.printf("==> %s <==\n", in.name)
		}
		if f.Changed("bytes") {
			_, err := io.CopyN(p.out, in, int64(min(*bytes, math.MaxInt64)))
			return notEOF(err)
		}
		r := bufio.NewReader(in)
		for range *lines {
			line, err := r.ReadBytes('\n')
			if _, err := p.out.Write(line); err != nil {
				return err
			}
			if err != nil {
				return notEOF(err)
			}
		}
		return nil
	})
}

// plainNumber takes -20 for -n 20 where it comes first.
func plainNumber(args []string) []string {
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "0123456789") == "" {
		return append([]string{"-n", args[0][1:]}, args[1:]...)
	}
	return args
}

func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func wc(p *process, args []string) error {
	f := p.flags()
	showLines, showWords, showBytes := f.BoolP("lines", "l", false, ""), f.BoolP("words", "w", false, ""), f.BoolP("bytes", "c", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if !*showLines && !*showWords && !*showBytes {
		*showLines, *showWords, *showBytes = true, true, true
	}
	var rows [][]string
	var total counts
	add := func(c counts, name string) {
		var row []string
		for i, show := range []bool{*showLines, *showWords, *showBytes} {
			if show {
				row = append(row, number(c[i]))
			}
		}
		rows = append(rows, append(row, name))
	}
	err := p.inputs(f.Args(), func(in input) error {
		c, err := count(in)
		add(c, in.name)
		for i := range c {
			total[i] += c[i]
		}
		return err
	})
	if len(rows) > 1 {
		add(total, "total")
	}
	if len(rows) > 0 {
		p.table(rows, "012"[:len(rows[0])-1])
	}
	return err
}

// counts are numbers of lines, words and bytes.
type counts [3]int64

func count(r io.Reader) (c counts, err error) {
	inWord := false
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		c[0] += int64(bytes.Count(buf[:n], []byte("\n")))
		c[2] += int64(n)
		for _, b := range buf[:n] {
			space := strings.IndexByte(" \t\n\v\f\r", b) >= 0
			if !space && !inWord {
				c[1]++
			}
			inWord = !space
		}
		if err != nil {
			return c, notEOF(err)
		}
	}
}

func hexdump(p *process, args []string) error {
	f := p.flags()
	length := f.Int64P("length", "n", math.MaxInt64, "")
	skip := f.Int64P("skip", "s", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	return p.inputs(f.Args(), func(in input) error {
		if _, err := io.CopyN(io.Discard, in, *skip); err != nil {
			return notEOF(err)
		}
		d := hex.Dumper(p.out)
		_, err := io.Copy(d, io.LimitReader(in, *length))
		return errors.Join(err, d.Close())
	})
}

func sum(p *process, args []string) error {
	f := p.flags()
	check := f.BoolP("check", "c", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *check {
		return p.inputs(f.Args(), p.check)
	}
	return p.inputs(f.Args(), func(in input) error {
		sum, err := checksum(in)
		if err == nil {
			p.printf("%s\n", strings.TrimSuffix(sum+"  "+in.name, "  "))
		}
		return err
	})
}

// check compares files with the checksums in a list of theirs. Their names are
// relative to the directory of the list.
func (p *process) check(in input) error {
	list, err := readManifest(in)
	if err != nil {
		return err
	}
	wrong := 0
	for _, f := range list {
		got, err := fileChecksum(p.at(filepath.Join(filepath.Dir(in.name), f.name)))
		switch {
		case err != nil:
			p.complain("sum", err)
			wrong++
		case got != f.sum:
			p.printf("%s: DIFFERENT\n", f.name)
			wrong++
		default:
			p.printf("%s: ok\n", f.name)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d files are not as they should be", wrong, len(list))
	}
	return nil
}

// listed is a file of a manifest, with the checksum it should have.
type listed struct{ name, sum string }

// readManifest reads the lines that sha256sum writes: a checksum, two spaces
// and the name.
func readManifest(r io.Reader) ([]listed, error) {
	var list []listed
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if b, err := hex.DecodeString(sum); !ok || err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("line %d is not a checksum, two spaces and a name", len(list)+1)
		}
		list = append(list, listed{name, sum})
	}
	return list, lines.Err()
}

func checksum(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

func fileChecksum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return checksum(f)
}
