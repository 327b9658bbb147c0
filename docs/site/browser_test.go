package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/yolkos/yolk/internal/tools"
	"github.com/yolkos/yolk/toolchain/group"
)

// browser is a Chromium without a screen, which is driven by the DevTools protocol over
// two pipes: what is typed there comes to the page as from a keyboard.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	last    int    // number of the last message
	session string // of the page
}

// startBrowser returns a browser with an empty page. It ends with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tools.Browser(t), "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4, which the protocol has
	cmd.WaitDelay = time.Second
	// Its helpers write into its directory until they end, too.
	if err := group.Adopt(); err != nil {
		t.Fatal(err)
	}
	group.Lead(cmd)
	err = cmd.Start()
	in.Close()
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before its directory is removed
		group.Signal(cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		group.Await(cmd.Process.Pid)
		to.Close()
		from.Close()
	})
	// A browser that hangs.
	from.SetReadDeadline(time.Now().Add(10 * time.Minute))
	b := &browser{t: t, to: to, from: bufio.NewReaderSize(from, 1<<20)}
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	return b
}

// call has the browser do something, and waits until it has.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.last++
	message := map[string]any{"id": b.last, "method": method, "params": params}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		text, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var reply struct {
			ID     int
			Error  *struct{ Message string }
			Result json.RawMessage
		}
		if err := json.Unmarshal(text[:len(text)-1], &reply); err != nil {
			b.t.Fatalf("%s: %v: %.200q", method, err, text)
		}
		if reply.ID != b.last {
			continue // an event
		}
		if reply.Error != nil {
			b.t.Fatalf("%s: %s", method, reply.Error.Message)
		}
		if result == nil {
			return
		}
		if err := json.Unmarshal(reply.Result, result); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		return
	}
}

// see returns what an expression of JavaScript, with a string as its value, is on the page.
func (b *browser) see(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value string }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}, &got)
	if got.ExceptionDetails != nil {
		// Between two pages there is nothing to be seen.
		return "(" + got.ExceptionDetails.Exception.Description + ")"
	}
	return got.Result.Value
}

// wait looks at the page until an expression is as wanted.
func (b *browser) wait(expression string, want func(string) bool) string {
	b.t.Helper()
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		got := b.see(expression)
		if want(got) {
			return got
		}
		if time.Since(start) > 2*time.Minute {
			b.t.Fatalf("%s is %q for minutes, on\n%s", expression, got, b.see("location.href + '\\n' + document.body.innerText.slice(0, 2000)"))
		}
	}
}

// open goes to a page.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	b.wait("document.readyState + ' ' + location.href", func(s string) bool { return s == "complete "+url })
}

// click presses the mouse in the middle of the first element that a selector finds.
func (b *browser) click(selector string) {
	b.t.Helper()
	var x, y float64
	at := b.see(fmt.Sprintf("(r => (r.left + r.width / 2) + ' ' + (r.top + r.height / 2))(document.querySelector(%q).getBoundingClientRect())", selector))
	if _, err := fmt.Sscan(at, &x, &y); err != nil {
		b.t.Fatalf("%s is at %s", selector, at)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}, nil)
	}
}

// keys types a text, in which \r is the enter key and \b the one that deletes.
func (b *browser) keys(text string) {
	b.t.Helper()
	for _, r := range text {
		key := map[string]any{"type": "keyDown", "text": string(r), "key": string(r)}
		switch r {
		case '\r':
			key["key"], key["code"], key["windowsVirtualKeyCode"] = "Enter", "Enter", 13
		case '\b':
			key = map[string]any{"type": "keyDown", "key": "Backspace", "code": "Backspace", "windowsVirtualKeyCode": 8}
		}
		b.call("Input.dispatchKeyEvent", key, nil)
		up := map[string]any{"type": "keyUp", "key": key["key"]}
		b.call("Input.dispatchKeyEvent", up, nil)
	}
}
