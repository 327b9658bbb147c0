package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func cat(s *shell, args []string) error {
	return s.inputs(args, func(in input) error {
		_, err := io.Copy(s.out, in)
		return err
	})
}

func head(s *shell, args []string) error {
	set, names, err := options(args, "n:")
	if err != nil {
		return err
	}
	lines := 10
	if has(set, 'n') {
		lines = set['n']
	}
	return s.inputs(names, func(in input) error {
		if len(names) > 1 {
			s.printf("==> %s <==\n", in.name)
		}
		r := bufio.NewReader(in)
		for range lines {
			line, err := r.ReadBytes('\n')
			if _, err := s.out.Write(line); err != nil {
				return err
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func wc(s *shell, args []string) error {
	var rows [][]string
	err := s.inputs(args, func(in input) error {
		lines, words, size := 0, 0, int64(0)
		inWord := false
		buf := make([]byte, 64<<10)
		for {
			n, err := in.Read(buf)
			size += int64(n)
			lines += bytes.Count(buf[:n], []byte("\n"))
			for _, c := range buf[:n] {
				space := strings.IndexByte(" \t\n\v\f\r", c) >= 0
				if !space && !inWord {
					words++
				}
				inWord = !space
			}
			if err == io.EOF {
				rows = append(rows, []string{number(lines), number(words), number(size), in.name})
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	s.table(rows, "012")
	return err
}

func hexdump(s *shell, args []string) error {
	set, names, err := options(args, "n:")
	if err != nil {
		return err
	}
	return s.inputs(names, func(in input) error {
		r := io.Reader(in)
		if has(set, 'n') {
			r = io.LimitReader(r, int64(set['n']))
		}
		d := hex.Dumper(s.out)
		_, err := io.Copy(d, r)
		return errors.Join(err, d.Close())
	})
}

func sum(s *shell, args []string) error {
	set, names, err := options(args, "c")
	if err != nil {
		return err
	}
	if has(set, 'c') {
		return s.inputs(names, s.check)
	}
	return s.inputs(names, func(in input) error {
		sum, err := checksum(in)
		if err == nil {
			s.printf("%s\n", strings.TrimSuffix(sum+"  "+in.name, "  "))
		}
		return err
	})
}

// check compares files with the checksums in a list of theirs. Their names are
// relative to the directory of the list.
func (s *shell) check(in input) error {
	list, err := readManifest(in)
	if err != nil {
		return err
	}
	wrong := 0
	for _, f := range list {
		got, err := fileChecksum(filepath.Join(filepath.Dir(in.name), f.name))
		switch {
		case err != nil:
			s.complain("sum", err)
			wrong++
		case got != f.sum:
			s.printf("%s: DIFFERENT\n", f.name)
			wrong++
		default:
			s.printf("%s: ok\n", f.name)
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
