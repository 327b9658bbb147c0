package qemu

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary stand for the programs that the package
// starts, by the name it is called.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case emulator:
		fakeQEMU()
	case "virtiofsd":
		fakeDaemon()
	}
	if len(os.Args) >= 4 && os.Args[1] == "serve-fs" {
		if err := ServeBuiltin(os.Args[2], Cache(os.Args[3]), strings.Join(os.Args[4:], "")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 3 && os.Args[1] == "confined" {
		tryConfined(os.Args[2])
		os.Exit(0)
	}
	if len(os.Args) == 3 && os.Args[1] == "serve-net" {
		if how := os.Getenv("FAKE_NETWORK"); how != "" {
			fmt.Fprintln(os.Stderr, how)
			os.Exit(1)
		}
		if err := ServeNetwork(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakes puts stand-ins for QEMU and virtiofsd into PATH. $FAKE_QEMU and
// $FAKE_DAEMON hold what they are to do.
func fakes(t *testing.T, qemu, daemon string) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{emulator, "virtiofsd"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("FAKE_QEMU", qemu)
	t.Setenv("FAKE_DAEMON", daemon)
}

// fakeQEMU does the words of $FAKE_QEMU one by one.
func fakeQEMU() {
	port := map[string]*os.File{}
	var heard *bufio.Scanner // messages of the launcher
	for _, a := range os.Args {
		var id string
		var fd int
		if n, _ := fmt.Sscanf(strings.ReplaceAll(a, ",", " "), "socket id=%s fd=%d", &id, &fd); n == 2 {
			port[id] = os.NewFile(uintptr(fd), id)
		}
	}
	for _, word := range strings.Fields(os.Getenv("FAKE_QEMU")) {
		verb, arg, _ := strings.Cut(word, ":")
		switch verb {
		case "ctl":
			fmt.Fprintln(port["ctl"], strings.ReplaceAll(arg, "_", " "))
		case "stdout", "stderr", "tty", "uart":
			fmt.Fprintln(port[verb], arg)
		case "keys": // wait for so many
			n, _ := strconv.ParseInt(arg, 10, 64)
			io.CopyN(io.Discard, port["tty"], n)
		case "ttyecho": // show so many
			n, _ := strconv.ParseInt(arg, 10, 64)
			io.CopyN(port["tty"], port["tty"], n)
		case "complain":
			fmt.Fprintln(os.Stderr, arg)
		case "echo": // standard input to standard output
			io.Copy(port["stdout"], port["stdin"])
		case "file": // a firmware file to standard output
			for i, a := range os.Args {
				if name, path, ok := strings.Cut(a, ",file="); ok && name == "name=opt/yolk/"+arg && os.Args[i-1] == "-fw_cfg" {
					data, _ := os.ReadFile(path)
					port["stdout"].Write(bytes.ReplaceAll(data, []byte{0}, []byte("|")))
				}
			}
		case "alive": // hang when the daemon does not answer
			port["fs0"].Write(getFeatures)
			if n, _ := port["fs0"].Read(make([]byte, 20)); n == 0 {
				time.Sleep(time.Hour)
			}
		case "hears": // wait for a message of the launcher
			if heard == nil {
				heard = bufio.NewScanner(port["control"])
			}
			for heard.Scan() && !strings.HasPrefix(heard.Text(), strings.ReplaceAll(arg, "_", " ")) {
			}
		case "says":
			fmt.Fprintln(port["control"], strings.ReplaceAll(arg, "_", " "))
		case "served": // complain and end when the daemon does not answer
			port["fs0"].Write(getFeatures)
			if n, _ := port["fs0"].Read(make([]byte, 20)); n == 0 {
				fmt.Fprintln(os.Stderr, arg)
				os.Exit(1)
			}
		case "netdev": // the network's backend to standard output
			for i, a := range os.Args {
				if os.Args[max(i-1, 0)] == "-netdev" {
					fmt.Fprintln(port["stdout"], a)
				}
			}
		case "nostream": // be a QEMU without -netdev stream
			for _, a := range os.Args {
				if strings.HasPrefix(a, "stream,") {
					fmt.Fprintf(os.Stderr, "qemu: -netdev %s: Parameter 'type' expects a netdev backend type\n", a)
					os.Exit(1)
				}
			}
		case "nosandbox": // be a QEMU without seccomp
			if slices.Contains(os.Args, sandboxOption) {
				fmt.Fprintln(os.Stderr, "qemu: -sandbox on: There is no option group 'sandbox'")
				os.Exit(1)
			}
		case "discover": // ask the network for an address, and write the answer's type to standard output
			fmt.Fprintln(port["stdout"], discover())
		case "badframe": // send the network what is no frame
			networkSocket().Write([]byte{255, 255, 255, 255})
		case "await": // wait for a file
			for _, err := os.Stat(arg); err != nil; _, err = os.Stat(arg) {
				time.Sleep(time.Millisecond)
			}
		case "netgone": // wait until the network has ended
			networkSocket().Read(make([]byte, 1))
		case "pid":
			fmt.Fprintln(port["stdout"], os.Getpid())
		case "profile", "locks": // a profile, said to be of a number of bytes
			size, data, _ := strings.Cut(arg, "=")
			n, _ := strconv.ParseUint(size, 10, 64)
			port[verb].Write(append(binary.LittleEndian.AppendUint64(nil, n), data...))
		case "asked": // wait until a profile is asked for
			port[arg].Read(make([]byte, 1))
		case "time": // a question for the time; the answer to standard output
			port["time"].Write([]byte(arg))
			io.CopyN(port["stdout"], port["time"], 16)
		case "hang":
			time.Sleep(time.Hour)
		case "signal":
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			time.Sleep(time.Hour)
		case "end":
			var status int
			fmt.Sscan(arg, &status)
			os.Exit(status)
		}
	}
	os.Exit(0)
}

// fakeDaemon accepts one connection and does the words of $FAKE_DAEMON.
func fakeDaemon() {
	if len(os.Args) > 1 && os.Args[1] == "--help" {
		fmt.Println("  --shared-dir <DIR>")
		os.Exit(0)
	}
	for _, word := range strings.Fields(os.Getenv("FAKE_DAEMON")) {
		verb, arg, _ := strings.Cut(word, ":")
		switch verb {
		case "serve":
			var listener int
			fmt.Sscanf(os.Args[1], "--fd=%d", &listener)
			fd, _, err := syscall.Accept(listener)
			if err == nil {
				os.NewFile(uintptr(fd), "client").Read(make([]byte, 1))
			}
		case "linger":
			time.Sleep(500 * time.Millisecond)
		case "complain":
			fmt.Fprintln(os.Stderr, arg)
		case "end":
			os.Exit(1)
		}
	}
	os.Exit(0)
}
