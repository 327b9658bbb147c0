package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The demo's shell is one to stay in, on Linux.
func TestDemoTerminal(t *testing.T) {
	program := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", program, "../demo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(program)
	cmd.Dir = demoRoot(t)
	liveIn(t, newPane(t, cmd))
}

// And so it is in a guest, whose trace can be turned off and on there.
func TestGuestDemoTerminal(t *testing.T) {
	needGuest(t)
	file := filepath.Join(t.TempDir(), "trace")
	p := newPane(t, yolkCommand(t, ".", "run", "-q", "--timeout", "600s", "--root", demoRoot(t), "--trace", file, "--trace-filter", "call", "../demo"))
	p.expect("Tab completes")
	p.expect(">\n")
	p.keys("trace off; cat /un'traced'; trace | head -1", "Enter")
	p.expect("\noff call\n")
	p.keys("trace on; cat /is'traced'; trace | head -1", "Enter")
	p.expect("\non call\n")
	p.keys("trace -k irq on; trace | head -1; trace -k call on", "Enter")
	p.expect("\non irq\n")
	p.keys("trace cat /by'itself'", "Enter")
	p.expect(` "/byitself"` + "\n")
	p.keys("clear() { printf '\\033[2J\\033[H'; }; clear; echo Tab completes", "Enter")
	liveIn(t, p)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if on, off := bytes.Contains(text, []byte("/istraced")), bytes.Contains(text, []byte("/untraced")); !on || off {
		t.Errorf("in the trace: what was traced %t, what was not %t\n%s", on, off, text)
	}
}

// demoRoot is a directory for the demo to look at.
func demoRoot(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "poems"), 0o755); err != nil {
		t.Fatal(err)
	}
	var long strings.Builder
	for i := range 200 {
		long.WriteString("line " + strings.Repeat("I", i%7) + "\n")
	}
	for name, text := range map[string]string{"poems/a riddle.txt": "Humpty Dumpty\n", "poems/long": long.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// liveIn types at the demo's shell, in a directory with poems.
func liveIn(t *testing.T, p pane) {
	p.expect("Tab completes")
	p.expect(">\n")
	p.keys("echo fi'r'st", "Enter")
	p.expect("\nfirst\n")
	p.keys("cat poems/a", "Tab", "Enter")
	p.expect(`> cat poems/a\ riddle.txt` + "\nHumpty Dumpty\n")
	p.keys("hexd", "Tab")
	p.expect("> hexdump")
	p.keys("C-c") // drops the line
	p.expect("> hexdump ^C\n")

	p.keys("C-r", "fi'r")
	p.expect("`fi'r': echo fi'r'st")
	p.keys("Enter")
	p.expect("> echo fi'r'st\nfirst\n")

	p.keys("clear() { printf '\\033[2J\\033[H'; }; clear", "Enter")
	p.keys("for i in 1 2; do", "Enter", "echo round $i", "Enter", "done | cat", "Enter")
	p.expect("> done | cat\nround 1\nround 2\n")
	p.keys("Up")
	p.expect("> for i in 1 2; do echo round $i; done | cat")
	p.keys("C-c")
	p.expect(">\n")

	p.keys("ls", "Enter")
	p.expectColored("\x1b[34mpoems")
	p.keys("clear", "Enter", "yes > /dev/null", "Enter")
	p.expect("> yes > /dev/null\n")
	p.keys("C-c")
	p.expect("^C\n")
	p.expect(">\n")
	p.keys("echo a'l'ive", "Enter")
	p.expect("\nalive\n")
	p.keys("cat", "Enter")
	p.expect("> cat\n")
	p.keys("to cat", "Enter")
	p.expect("> cat\nto cat\nto cat\n")
	p.keys("C-d")
	p.expect(">\n") // a prompt with nothing behind it
	p.keys("cat; echo n'o'", "Enter")
	p.expect("> cat; echo n'o'\n")
	p.keys("C-c")
	p.expect(">\n")
	p.keys("read word && echo got $word", "Enter")
	p.expect("echo got $word\n")
	p.keys("it", "Enter")
	p.expect("\ngot it\n")

	p.keys("less poems/long", "Enter")
	p.expect("poems/long  lines 1-23")
	p.keys("G")
	p.expect("of 200 (end)")
	p.keys("/IIIIII", "Enter", "g", "q")
	p.expect(">\n")
	p.keys("clear; cat poems/long | less", "Enter")
	p.expect("standard input  lines 1-23")
	p.keys("q")
	p.expect(">\n")
	p.keys("watch -n 0.2 echo a'l'so", "Enter")
	p.expect("also\n")
	p.keys("C-c")
	p.expect(">\n")
	p.keys("echo $((6*7)) > /tmp/demo.$$; cat /tmp/demo.$$; rm /tmp/demo.$$; exit 7", "Enter")
	p.expect("\n42\n")
	p.expect("status 7\n")
}
