package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/internal/tools"
)

// gdbScript writes what gdb is to do into a file, and returns the options of yolk debug
// for it.
func gdbScript(t *testing.T, script string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.gdb")
	if err := os.WriteFile(file, []byte("set pagination off\nset width 0\n"+script), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--debugger-arg=-nh", "--debugger-arg=-batch", "--debugger-arg=-x", "--debugger-arg=" + file}
}

// debugged makes a module of testdata/debugged, with a package of its own beside main.
func debugged(t *testing.T) string {
	t.Helper()
	dir := program(t, "debugged")
	layOut(t, dir, map[string]string{"shop/shop.go": "package shop\n\ntype Shop struct{ Name string; Stock map[string]int }\n\n" +
		"func (s *Shop) Sell(what string, n int) int {\n\tleft := s.Stock[what] - n\n\ts.Stock[what] = left\n\treturn left\n}\n"})
	return dir
}

// inOrder reports the first of the parts that is not in text behind those before it.
func inOrder(text string, parts []string) (missing string) {
	for _, p := range parts {
		_, rest, ok := strings.Cut(text, p)
		if !ok {
			return p
		}
		text = rest
	}
	return ""
}

// TestGuestDebug has gdb stop one boot in the firmware, in the entry code before there are
// pages and 64-bit mode, in the kernel, and in the program, whose variables it reads, in
// another package of its own too, and whose goroutines it lists. The program then
// ends by itself.
func TestGuestDebug(t *testing.T) {
	needGuest(t)
	tools.Find(t, "gdb")
	dir := debugged(t)
	args := gdbScript(t, `
echo firmware\n
info registers rip
info goroutines
echo entry\n
hbreak *'runtime/goos.CPUinit'
continue
printf "paging %d, long mode %d\n", ($cr0 >> 31) & 1, ($efer >> 10) & 1
stepi
info symbol $rip
echo kernel\n
break github.com/yolkos/yolk/kernel.newLink
continue
printf "paging %d, long mode %d\n", ($cr0 >> 31) & 1, ($efer >> 10) & 1
echo program\n
break main.main
continue
break example.com/debugged/shop.(*Shop).Sell
continue
print *s
print what
backtrace
echo goroutines\n
info goroutines
goroutine 1 bt
echo locals\n
next
next
print left
up
print greeting
continue
`)
	cmd := yolkCommand(t, dir, append(append([]string{"debug", "-q", "--timeout", "300s"}, args...), ".", "a b")...)
	got := runCommand(t, cmd)
	want := []string{
		"0x000000000000fff0 in ?? ()\n", "firmware\n", "rip ", "0xfff0\n",
		"entry\n", "Breakpoint 1, runtime/goos.CPUinit () at ", "entry_tamago_amd64.s:", "CLI\n", "paging 0, long mode 0\n", "CLD\n", "CPUinit", " + 1 in section",
		"kernel\n", "Breakpoint 2, github.com/yolkos/yolk/kernel.newLink (", "kernel/link.go:", "paging 1, long mode 1\n",
		"program\n", "Breakpoint 3, main.main () at ", "main.go:", "Breakpoint 4, example.com/debugged/shop.(*Shop).Sell (s=0x", `what="eggs", n=5`,
		`{Name = "corner", Stock = map[string]int = {["eggs"] = 12}}`, `"eggs"`, "#0 ", "shop.(*Shop).Sell", "#1 ", "main.main ()",
		"goroutines\n", "* 1 running ", " waiting  runtime.gopark\n", "#0 ", "shop.(*Shop).Sell", "#1 ", "main.main ()",
		"locals\n", "s.Stock[what] = left\n", "= 7\n", `"debugged,a b"`,
		"debugged,a b 7\n",
	}
	if missing := inOrder(got.stdout, want); got.status != 3 || missing != "" {
		t.Errorf("status %d, want the program's, 3; no %q at its place in\n%s\nerrors %s", got.status, missing, got.stdout, got.stderr)
	}
}

// TestGuestDebugListen has a gdb that the user starts find the machine, by the command that
// is printed, and leave it before its program has ended.
func TestGuestDebugListen(t *testing.T) {
	needGuest(t)
	tools.Find(t, "gdb")
	dir := debugged(t)
	script := gdbScript(t, "break main.main\ncontinue\ndetach\n")
	cmd := yolkCommand(t, dir, append(append([]string{"debug", "--timeout", "300s", "--listen", "./socket"}, script...), ".")...)
	cmd.Stdin = strings.NewReader("typed\n")
	cmd.WaitDelay = time.Second
	notes, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := new(strings.Builder)
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	text, buf := "", make([]byte, 4096)
	command := ""
	for command == "" {
		n, err := notes.Read(buf)
		text += string(buf[:n])
		if _, line, ok := strings.Cut(text, "waits for a debugger: "); ok {
			command, _, ok = strings.Cut(line, "\n")
			if !ok {
				command = ""
			}
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "socket")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the socket is not private: %v, %v", info, err)
	}
	gdb := exec.Command("sh", "-c", command)
	gdb.Dir = t.TempDir()
	said := runCommand(t, gdb)
	if missing := inOrder(said.stdout, []string{"0x000000000000fff0 in ?? ()", "Breakpoint 1, main.main () at "}); missing != "" {
		t.Errorf("no %q in what %s says: %s%s", missing, command, said.stdout, said.stderr)
	}
	for err == nil { // the program goes on
		var n int
		n, err = notes.Read(buf)
		text += string(buf[:n])
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 3 || out.String() != "debugged 7\n" {
		t.Errorf("%v, printed %q: %s", cmd.ProcessState, out, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "socket")); err == nil {
		t.Error("the socket has stayed")
	}
}

// TestGuestDebugCPUs has gdb find goroutines on several CPUs, which are not numbered as the
// runtime's threads are.
func TestGuestDebugCPUs(t *testing.T) {
	needGuest(t)
	tools.Find(t, "gdb")
	dir := t.TempDir()
	layOut(t, dir, map[string]string{
		"go.mod": "module example.com/spinners\n\ngo 1.24\n",
		"main.go": "package main\n\nimport (\n\t\"runtime\"\n\t\"sync/atomic\"\n)\n\nvar (\n\tn    [2]int\n\tspun atomic.Int32\n)\n\n" +
			"func spin(i int) {\n\truntime.LockOSThread()\n\tfor spun.Add(1); ; {\n\t\tfor range 5000000 {\n\t\t\tn[i]++\n\t\t}\n\t\tif spun.Load() == 2 {\n\t\t\tbeat(i)\n\t\t}\n\t}\n}\n\n" +
			"func beat(i int) { n[i] = i }\n\nfunc main() {\n\tgo spin(0)\n\tgo spin(1)\n\tselect {}\n}\n",
	})
	args := gdbScript(t, "tbreak main.beat if i == 1\ncontinue\necho all\\n\ngoroutine all bt\n")
	got := runCommand(t, yolkCommand(t, dir, append(append([]string{"debug", "-q", "--timeout", "300s", "--cpus", "2"}, args...), ".")...))
	_, all, ok := strings.Cut(got.stdout, "all\n")
	for _, want := range []string{"main.beat (i=1) at ", "main.spin (i=1) at ", "main.spin (i=0) at ", "runtime.gopark"} {
		if !ok || !strings.Contains(all, want) {
			t.Errorf("no %q among the goroutines: status %d\n%s\nerrors %s", want, got.status, got.stdout, got.stderr)
		}
	}
}

// TestGuestDebugPrint runs the commands that are printed, which need no yolk but to build.
func TestGuestDebugPrint(t *testing.T) {
	needGuest(t)
	tools.Find(t, "gdb")
	dir := debugged(t)
	script := gdbScript(t, "break main.main\ncontinue\ngoroutine 1 bt\nbreak os.Exit\ncontinue\nkill\n")
	args := append([]string{"debug", "--print", "--listen", "./socket", "--mem", "100M", "--env", "A=b c"}, script...)
	printed := runCommand(t, yolkCommand(t, dir, append(args, ".", "two words", "it's")...))
	lines := strings.Split(strings.TrimSuffix(printed.stdout, "\n"), "\n")
	if printed.status != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "yolk build ") || !strings.Contains(lines[1], " -m 100M ") || !strings.HasPrefix(lines[2], "gdb ") {
		t.Fatalf("status %d, printed %q, %s", printed.status, printed.stdout, printed.stderr)
	}
	yolk, err := yolkBinary()
	if err != nil {
		t.Fatal(err)
	}
	command := func(line string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(yolk)+":"+os.Getenv("PATH"))
		return cmd
	}
	if got := runCommand(t, command(lines[0])); got.status != 0 {
		t.Fatalf("%s: %s", lines[0], got.stderr)
	}
	machine := command("exec timeout 300 " + lines[1])
	said := new(strings.Builder)
	machine.Stdout, machine.Stderr = said, said
	if err := machine.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = machine.Wait(); close(ended) }()
	defer func() { _ = machine.Process.Signal(syscall.SIGTERM); <-ended }() // which timeout passes on
	for {
		if _, err := os.Stat(filepath.Join(dir, "socket")); err == nil {
			break
		}
		select {
		case <-ended:
			t.Fatalf("%s: %s", lines[1], said)
		case <-time.After(10 * time.Millisecond):
		}
	}
	got := runCommand(t, command(lines[2]))
	want := []string{"0x000000000000fff0 in ?? ()", "Breakpoint 1, main.main () at ", "#0  main.main () at ", "Breakpoint 2, os.Exit (code=3)"}
	if missing := inOrder(got.stdout, want); missing != "" {
		t.Errorf("no %q at its place in what %s says: %s%s", missing, lines[2], got.stdout, got.stderr)
	}
	<-ended
	if !strings.Contains(said.String(), "yolk,two words,it's 7") {
		t.Errorf("the program said %q", said)
	}
}

// delve is the version that docs/DEBUGGING.md tells of.
const delve = "github.com/go-delve/delve/cmd/dlv@v1.27.2"

// installDelve builds Delve, and returns the directory that it is in.
func installDelve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "install", delve)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", cmd.Args, err, out)
	}
	return dir
}

// TestGuestDelve has Delve do what gdb does in TestGuestDebug.
func TestGuestDelve(t *testing.T) {
	needGuest(t)
	page, err := os.ReadFile("../../docs/DEBUGGING.md")
	if _, version, _ := strings.Cut(delve, "@v"); err != nil || !strings.Contains(string(page), "With Delve "+version+" ") {
		t.Errorf("docs/DEBUGGING.md does not tell of Delve %s: %v", version, err)
	}
	dlv := installDelve(t)
	dir := debugged(t)
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("break shop.Shop.Sell\ncontinue\nprint s\nstack\ngoroutines\nnext\nnext\nlocals\n"+
		"break github.com/yolkos/yolk/kernel.(*machine).shutdown\ncontinue\nstack\nquit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := yolkCommand(t, dir, "debug", "-q", "--timeout", "300s", "--debugger", "dlv", "--debugger-arg=--allow-non-terminal-interactive",
		"--debugger-arg=--init", "--debugger-arg="+script, ".")
	cmd.Env = append(cmd.Environ(), "PATH="+dlv+":"+os.Getenv("PATH"))
	got := runCommand(t, cmd)
	want := []string{"shop.(*Shop).Sell()", `Name: "corner"`, `"eggs": 12`, "main.main", "Goroutine 1 ", "main.", "left = 7", "debugged 7", "kernel.(*machine).shutdown()", "os.Exit"}
	if missing := inOrder(got.stdout, want); missing != "" {
		t.Errorf("status %d; no %q at its place in\n%s\nerrors %s", got.status, missing, got.stdout, got.stderr)
	}
}

// The socket for a debugger is private, or where the user wants it, which is not for
// others by mistake.
func TestDebugListener(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("long/", 30))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ listen, dir, address string }{
		{"", long, fmt.Sprintf("/proc/%d/fd/", os.Getpid())},
		{dir + "/s", dir, dir + "/s"},
		{":0", dir, "127.0.0.1:"},
		{"[::1]:0", dir, "[::1]:"},
		{"localhost:0", dir, ":"},
	} {
		d := debugOptions{listen: tt.listen}
		l, address, err := d.listener(tt.dir)
		if err != nil {
			if tt.listen == "[::1]:0" {
				continue // a host without IPv6
			}
			t.Errorf("%q: %v", tt.listen, err)
			continue
		}
		if !strings.Contains(address, tt.address) || strings.HasSuffix(address, ":0") {
			t.Errorf("%q: at %s, want %s", tt.listen, address, tt.address)
		}
		c, err := net.Dial(l.Addr().Network(), address)
		if err != nil {
			t.Errorf("%q: %v", tt.listen, err)
		} else {
			c.Close()
		}
		l.Close()
		if _, err := os.Stat(address); err == nil {
			t.Errorf("%q: the socket has stayed", tt.listen)
		}
	}
	for _, wrong := range []string{"1234", "host:port:1", ":port", dir + "/no/such", "/" + dir} {
		d := debugOptions{listen: wrong}
		if l, address, err := d.listener(dir); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: at %s, %v", wrong, address, err)
			if err == nil {
				l.Close()
			}
		}
	}
}
