// Package group runs programs of the host that start others, and ends them whole.
//
// A program that is run here leads a group of processes. The terminal's Ctrl-C does not reach
// the group: this process gets it, and decides who ends when. What it ends has ended with all
// that it has started, also where these were started by somebody between, once it says so: who
// removes a directory after that removes it from under nobody, and who returns to a shell
// leaves nothing behind.
package group

import (
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Adopt has processes whose parents end become children of this one, which can wait for them
// then; else they are those of process 1, which takes its time where it is busy or no init
// (prctl(2), PR_SET_CHILD_SUBREAPER). It is for main functions: who adopts has to end some time.
func Adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// Lead has a command that is not started yet lead a group, and die with this process, whatever
// that dies of.
func Lead(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// outputTime is how long the output of a command is waited for that has been ended: somebody
// outside the group may have it.
const outputTime = 5 * time.Second

// Run runs a command that has a context as cmd.Run does, in a group that is killed at the
// context's end.
func Run(cmd *exec.Cmd) error {
	Lead(cmd)
	var killed atomic.Bool
	cmd.Cancel = func() error {
		killed.Store(true)
		return Signal(cmd.Process.Pid, syscall.SIGKILL)
	}
	cmd.WaitDelay = outputTime
	err := cmd.Run()
	if killed.Load() {
		Await(cmd.Process.Pid)
	}
	return err
}

// Signal sends a signal to the group of a leader, which has to be one that was not waited for,
// as its number is another's after that.
func Signal(leader int, sig syscall.Signal) error { return syscall.Kill(-leader, sig) }

// Await waits until none of the group of a leader is left that was killed and waited for. It
// can wait for those who are this process's children: see Adopt.
func Await(leader int) {
	for {
		// Whose parent dies is this process's before that parent's end can be seen, so that
		// there are none between two rounds.
		err := unix.Waitid(unix.P_PGID, leader, nil, unix.WEXITED, nil)
		if err != nil && err != unix.EINTR {
			return // ECHILD
		}
	}
}

// leavePause is after how long Leave looks again.
const leavePause = 2 * time.Millisecond

// Leave waits until this process has no children any more, adopted ones included, at most for
// limit. It takes them from whoever else waits for them, so that it is for the end of a main
// function which has ended what it has started.
func Leave(limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		switch {
		case err != nil && err != unix.EINTR:
			return // ECHILD
		case pid == 0:
			time.Sleep(leavePause)
		}
	}
}
