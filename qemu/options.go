package qemu

import (
	"io"
	"os"
	"syscall"
	"time"

	"github.com/yolkos/yolk/qemu/served"
)

// Options is what a run needs to know.
type Options struct {
	Kernel *os.File // the image; Run closes it
	Args   []string // of the program, its name first
	Env    []string // KEY=VALUE
	Dir    string   // working directory in the guest
	Quiet  bool     // no boot messages

	Machine Machine
	Accel   Accel         // KVM or TCG
	Memory  uint64        // bytes
	CPUs    int           // 0: one
	Count   bool          // as of Config
	Timeout time.Duration // 0: none
	Shares  []Share
	Disks   []Disk // /dev/vda and so on, in their order
	// DiskMounts are what the guest's kernel mounts of them.
	DiskMounts []DiskMount
	Daemon     Daemon
	Cache      Cache
	Network    Network
	Self       []string // command of this program that ends up in ServeBuiltin
	SelfNet    []string // command of this program that ends up in ServeNetwork

	Hostname string   // of the guest; empty: its own
	Extra    []string // arguments of QEMU's own

	Stdin   io.Reader // nil: empty
	Stdout  io.Writer
	Stderr  io.Writer
	Console io.Writer // the kernel's log
	Notes   io.Writer // what Run itself has to say
	Trace   io.Writer // the commands that are run; nil: not shown
	Profile io.Writer // gets the profile of an image with kernel/profile; nil: none
	Locks   io.Writer // gets the profile of an image with kernel/profile/locks; nil: none
	Kinds   string    // what an image with kernel/trace traces to begin with; "": all
	Boot    *Boot     // gets how the boot of an image with kernel/stages went; nil: nobody wants to know
	// Events returns what gets the stream of an image with kernel/trace (kernel/trace/wire): of
	// each attempt to start the guest, of which the last counts; nil: none is wanted.
	Events func() io.Writer
	// Served gets what tells which requests the built-in server of a share served when, of each that is
	// started, and closes it; nil: nobody wants to know.
	Served func(tag string, r *served.Reader)

	JSON    bool     // the kernel's log and Notes are JSON, an object a line: package logline
	OnMain  func()   // called as the program is about to start; may be nil
	Debug   Listener // where a debugger finds the machine, which waits for it; nil: nowhere
	OnStart func()   // called when QEMU has been started, more than once if one does not do; may be nil

	// OnGuest is called like OnMain, or when a program that is held would start, in a
	// goroutine of its own; may be nil.
	OnGuest func(g *Guest)
	Hold    Hold // the program does not start; empty: it does

	// Log gets each line of the kernel's log, with its end, and says whether it goes to
	// Console as well; nil: all do.
	Log func(line []byte) (show bool)

	// OnCrash is told of a machine that has not ended as it should, before Run returns,
	// and says in a line what it has made of it; nil: nobody wants to know. It is not
	// told of a machine that has never run.
	OnCrash func(*Crash) (note string)

	Signals     <-chan os.Signal     // for the program; nil: none
	StopTimeout time.Duration        // how long the program may take to end after SIGTERM; 0: as long as it likes
	Suspend     func(syscall.Signal) // stops this process until it is continued; nil: it cannot be
}

// Hold says when the program of a guest is held, until the guest ends: kernel/flags.go.
type Hold string

// When a program is held.
const (
	AfterBoot    Hold = "boot"
	AfterNetwork Hold = "network" // for an image that has one; others are not held by it
)

// Listener is a listening socket, of package net or any other, of which File returns a
// duplicate.
type Listener interface{ File() (*os.File, error) }
