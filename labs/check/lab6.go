package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/yolkos/yolk/labs/internal/report"
)

// readyLine is how the line begins that the echo server prints when it answers.
const readyLine = "echo at "

// Times of a client that has no answer.
const (
	resend  = time.Second
	answers = time.Minute // in which one has to come, on a busy machine as well
)

// checkEcho boots the echo server and asks it.
func checkEcho(l *lab, dir string, r *report.Report) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	booted := *l
	booted.options = []string{"--net", "user", "-p", fmt.Sprintf("127.0.0.1:%d:7/udp", port)}
	cmd := booted.command(dir, []string{"--timeout", guestLimit}, "check")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	if !strings.HasPrefix(first, readyLine) {
		rest, _ := io.ReadAll(lines)
		err := cmd.Wait()
		r.Adopt(first + string(rest))
		explain(r, first+string(rest)+stderr.String(), err)
		return nil
	}
	ended := make(chan error, 1)
	go func() {
		io.Copy(io.Discard, lines)
		ended <- cmd.Wait()
	}()
	what := ask(port, ended)
	// The guest ends by SIGTERM; one that has ended already does not mind.
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if what == errEnded && errors.As(err, &exit) {
			explain(r, stderr.String(), err)
			return nil
		}
	case <-time.After(answers):
		_ = cmd.Process.Kill()
	}
	if what != nil {
		r.Fail(fmt.Sprintf("on the machine: %v", what), "yolk run --pcap FILE writes what crosses the wire, for Wireshark.")
		return nil
	}
	r.OK("on the machine: %s", strings.TrimSuffix(first, "\n"))
	return nil
}

var errEnded = errors.New("the machine has ended")

// ask sends datagrams to the guest's port, and compares what comes back.
func ask(port int, ended chan error) error {
	c, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer c.Close()
	earlier := map[string]bool{} // what was sent twice may be answered twice, however late
	for _, text := range []string{"hello, machine", "", "x", strings.Repeat("all work and no play ", 60)} {
		got := make([]byte, 2048)
		for start := time.Now(); ; {
			select {
			case err := <-ended:
				ended <- err
				return errEnded
			default:
			}
			if _, err := c.Write([]byte(text)); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
				return err
			}
			if err := c.SetReadDeadline(time.Now().Add(resend)); err != nil {
				return err
			}
			n, err := c.Read(got)
			for err == nil && earlier[string(got[:n])] {
				n, err = c.Read(got)
			}
			if err == nil && string(got[:n]) == text {
				break
			}
			if err == nil {
				return fmt.Errorf("%q was sent, and %q came back", text, got[:n])
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.ECONNREFUSED) {
				return err
			}
			if time.Since(start) > answers {
				return fmt.Errorf("no answer to a datagram of %d bytes", len(text))
			}
		}
		earlier[text] = true
	}
	return nil
}

// freePort finds a port that nobody has.
func freePort() (int, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}
