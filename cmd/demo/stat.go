package main

import (
	"io/fs"
	"os"
	"strconv"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

func number[T ~int | ~int64 | ~uint64](n T) string { return strconv.FormatInt(int64(n), 10) }

// fileDetails is what a system knows about a file beyond fs.FileInfo.
type fileDetails struct {
	known           bool // if not, the rest means nothing
	ino, nlink      uint64
	uid, gid        uint32
	dev, rdev       uint64
	blocks, blksize int64
	accessed        time.Time
	changed         time.Time // of the inode
}

func (d fileDetails) links() string {
	if !d.known {
		return "?"
	}
	return number(d.nlink)
}

func (d fileDetails) owner() string {
	if !d.known {
		return "?"
	}
	return number(uint64(d.uid)) + ":" + number(uint64(d.gid))
}

// device is the number of the device that a device file stands for.
func (d fileDetails) device() string {
	return number(d.rdev>>8&0xfff) + "," + number(d.rdev&0xff|d.rdev>>12&0xfff00)
}

func stat(p *process, args []string) error {
	f := p.flags()
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() == 0 {
		return usageError("no file")
	}
	return p.each(f.Args(), p.stat)
}

func (p *process) stat(path string) error {
	info, err := os.Lstat(p.at(path))
	if err != nil {
		return err
	}
	name := quoted(path)
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(p.at(path))
		if err != nil {
			return err
		}
		name += " -> " + quoted(target)
	}
	const times = "2006-01-02 15:04:05.000000000 -0700"
	d := details(info)
	p.printf("    File: %s\n", name)
	p.printf("    Type: %s\n", fileType(info.Mode()))
	p.printf("    Mode: %s (%04o)\n", modeString(info.Mode()), info.Mode().Perm())
	if !d.known {
		p.printf("    Size: %d bytes\n", info.Size())
		p.printf("Modified: %s\n", info.ModTime().Format(times))
		return nil
	}
	p.printf("    Size: %d bytes, %d blocks of 512, %d bytes at a time\n", info.Size(), d.blocks, d.blksize)
	p.printf("   Owner: user %d, group %d\n", d.uid, d.gid)
	p.printf("   Inode: %d on device %#x, %d links\n", d.ino, d.dev, d.nlink)
	if info.Mode()&fs.ModeDevice != 0 {
		p.printf("  Device: %s\n", d.device())
	}
	p.printf("Accessed: %s\n", d.accessed.Format(times))
	p.printf("Modified: %s\n", info.ModTime().Format(times))
	p.printf(" Changed: %s\n", d.changed.Format(times))
	return nil
}

// quoted is a name as the shell reads it.
func quoted(name string) string {
	word, err := syntax.Quote(name, syntax.LangBash)
	if err != nil {
		return strconv.Quote(name)
	}
	return word
}

func fileType(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "regular file"
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeCharDevice != 0:
		return "character device"
	case m&fs.ModeDevice != 0:
		return "block device"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "file of another kind"
}

// modeString writes a mode as ls(1) does.
func modeString(m fs.FileMode) string {
	b := []byte("-rwxrwxrwx")
	for i := 1; i < len(b); i++ {
		if m&(1<<(9-i)) == 0 {
			b[i] = '-'
		}
	}
	switch {
	case m.IsDir():
		b[0] = 'd'
	case m&fs.ModeSymlink != 0:
		b[0] = 'l'
	case m&fs.ModeCharDevice != 0:
		b[0] = 'c'
	case m&fs.ModeDevice != 0:
		b[0] = 'b'
	case m&fs.ModeNamedPipe != 0:
		b[0] = 'p'
	case m&fs.ModeSocket != 0:
		b[0] = 's'
	}
	for _, special := range []struct {
		bit  fs.FileMode
		at   int
		x, n byte // with and without the bit to execute
	}{{fs.ModeSetuid, 3, 's', 'S'}, {fs.ModeSetgid, 6, 's', 'S'}, {fs.ModeSticky, 9, 't', 'T'}} {
		switch {
		case m&special.bit == 0:
		case b[special.at] == 'x':
			b[special.at] = special.x
		default:
			b[special.at] = special.n
		}
	}
	return string(b)
}
