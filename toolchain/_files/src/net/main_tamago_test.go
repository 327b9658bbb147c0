//go:build tamago

package net

import (
	"os/exec"
	"runtime"
)

// fakeNet is the runtime.GOOS under which tests find the fake network.
const fakeNet = runtime.GOOS

// No system calls stand behind the sockets, so there are none to watch.

func installTestHooks()   {}
func uninstallTestHooks() {}
func forceCloseSockets()  {}

func addCmdInheritedHandle(cmd *exec.Cmd, fd uintptr) {}
