// Command check tells a student how far a lab is, in words:
//
//	go run ./labs/check [-run] N [DIR]
//
// checks lab N in DIR, labs/N if it says nothing else. With -run it boots the lab and
// shows what it prints. Its status is 0 if all is right, 1 if not, 2 if it could not
// check.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/yolkos/yolk/labs/internal/report"
)

// lab is one of the labs.
type lab struct {
	title string
	first string // what the check says of the skeleton
	check func(l *lab, dir string, r *report.Report) error
	boot  func(l *lab, dir string, w io.Writer) error

	// Of a lab that runs in a guest of Yolk's:
	options []string                                         // of yolk run
	host    func(l *lab, dir string, r *report.Report) error // what replaces the boot of the check; may be nil
}

var labs = map[int]*lab{
	1: {title: "first light", first: "PML4[0] is 0", check: checkLight, boot: bootLight},
	2: {
		title: "who is there", first: "Nothing was written to port 0xcf8", check: checkProgram, boot: bootProgram,
		// A bus behind a bridge, with a device on it.
		options: []string{"--machine", "q35", "--qemu-arg=-device", "--qemu-arg=pcie-root-port,id=rp,addr=5", "--qemu-arg=-device", "--qemu-arg=virtio-rng-pci,bus=rp,disable-legacy=on"},
	},
	3: {
		title: "a ring", first: "it was not reset", check: checkProgram, boot: bootProgram,
		options: []string{"--qemu-arg=-device", "--qemu-arg=virtio-rng-device"},
	},
	4: {
		title: "FUSE by hand", first: "the server has had no INIT", check: checkProgram, boot: bootProgram,
		options: []string{"--mount", "labs/4/share:/lab:ro"},
	},
	5: {
		title: "a file system of your own", first: "lstat /1: no such file", check: checkProgram, boot: bootProgram,
		options: []string{"--root", "labs/5/root:ro"},
	},
	6: {
		title: "an echo on the wire", first: "ARP, who has 10.0.2.15: there was no reply", check: checkProgram, boot: bootProgram,
		options: []string{"--net", "user", "-p", "127.0.0.1:7007:7/udp"}, host: checkEcho,
	},
}

func main() {
	boot := flag.Bool("run", false, "boot the lab and show what it prints")
	flag.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: go run ./labs/check [-run] N [DIR], N from 1 to %d\n", len(labs))
	}
	flag.Parse()
	n, _ := strconv.Atoi(flag.Arg(0)) // 0 is no lab
	l, dir := labs[n], flag.Arg(1)
	if l == nil {
		flag.Usage()
		os.Exit(2)
	}
	if dir == "" {
		dir = fmt.Sprintf("labs/%d", n)
	}
	if *boot {
		if err := l.boot(l, dir, os.Stdout); err != nil {
			fail(err)
		}
		return
	}
	fmt.Printf("Lab %d: %s (%s)\n", n, l.title, dir)
	r := report.New(os.Stdout)
	if err := l.check(l, dir, r); err != nil {
		fail(err)
	}
	r.End()
	if r.Failed() {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "check: %v\n", err)
	os.Exit(2)
}
