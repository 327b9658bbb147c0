package main

import (
	"bufio"
	"bytes"
	"io"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
	"github.com/yolkos/yolk/cmd/bench/internal/ops"
)

// batch is what QEMU's log has between two marks.
type batch struct {
	exits    exits
	executed map[string]int // instructions by their addresses, as they stand there
	total    int            // of them
}

// less tells the batch that less has interrupted.
func (b *batch) less(other *batch) bool {
	if b.total != other.total {
		return b.total < other.total
	}
	return b.exits.sum() < other.exits.sum()
}

// readLog reads a log of QEMU, and returns the least batch of each row by its number.
func readLog(log io.Reader) (map[int]*batch, error) {
	least := map[int]*batch{}
	row, now := 0, &batch{executed: map[string]int{}} // the boot
	lines := bufio.NewReaderSize(log, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF { // what has no end is no line
			return least, nil
		}
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\n")
		if mark, ok := marked(line); ok {
			if now != nil && (least[row] == nil || now.less(least[row])) {
				least[row] = now
			}
			if row, now = mark, nil; mark != ops.MarkEnd {
				now = &batch{executed: map[string]int{}}
			}
		} else if now != nil {
			now.take(line)
		}
	}
}

// marked reads the line of a mark.
func marked(line []byte) (mark int, ok bool) {
	a, ok := parseAccess(line)
	return int(a.value), ok && a.write && a.address == guest.MarkPort
}

// take counts what a line tells of. One of an instruction is
// "Trace 0: 0x7f… [00000000/0000000000201040/00000000/…] name", with the address behind
// the first slash.
func (b *batch) take(line []byte) {
	rest, ok := bytes.CutPrefix(line, []byte("Trace "))
	if !ok {
		if kind, ok := exitOf(line); ok {
			b.exits[kind]++
		}
		return
	}
	if _, rest, ok = bytes.Cut(rest, []byte{'/'}); ok {
		if pc, _, ok := bytes.Cut(rest, []byte{'/'}); ok {
			b.executed[string(pc)]++
			b.total++
		}
	}
}
