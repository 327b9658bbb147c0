package qemu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// emulator is the program that runs a guest of this project's architecture.
const emulator = "qemu-system-x86_64"

// FindQEMU returns the path of QEMU.
func FindQEMU() (string, error) {
	path, err := exec.LookPath(emulator)
	if err != nil {
		return "", fmt.Errorf("%s is not in PATH: %s", emulator, InstallHint())
	}
	return path, nil
}

// daemonPlaces are the directories where distributions keep virtiofsd, after
// those in PATH.
var daemonPlaces = []string{"/usr/libexec", "/usr/lib/qemu", "/usr/lib", "/usr/local/libexec"}

// FindVirtiofsd returns the path of virtiofsd.
func FindVirtiofsd() (string, error) {
	if path, err := exec.LookPath("virtiofsd"); err == nil {
		return path, nil
	}
	for _, dir := range daemonPlaces {
		if path, err := exec.LookPath(dir + "/virtiofsd"); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no virtiofsd in PATH, " + strings.Join(daemonPlaces, ", "))
}

// Missing names what is not on the machine, as Debian packages where this is a
// system with such. A virtiofsd that this user could not run is not missed.
func Missing() []string {
	release, ok := debian()
	old := release == "11" || release == "12"
	var names []string
	if _, err := exec.LookPath(emulator); err != nil { // FindQEMU's error asks for what is missing
		names = append(names, "qemu-system-x86")
	}
	if _, err := FindVirtiofsd(); err != nil && !(old && os.Geteuid() != 0) {
		// Up to Debian 12 it is one of QEMU's own files.
		names = append(names, map[bool]string{true: "qemu-system-common", false: "virtiofsd"}[old])
	}
	if !ok {
		return slices.DeleteFunc(names, func(n string) bool { return n == "virtiofsd" })
	}
	return names
}

// InstallHint says how to install what this package runs.
func InstallHint() string {
	names := Missing()
	switch _, ok := debian(); {
	case len(names) == 0:
		return "nothing to install"
	case !ok:
		return "install QEMU for x86-64 (" + emulator + ") with your system's package manager"
	}
	command := InstallCommand(names)
	if os.Geteuid() != 0 {
		command = append([]string{"sudo"}, command...)
	}
	return "install it with: " + strings.Join(command, " ")
}

// InstallCommand is the command that installs Debian packages.
func InstallCommand(names []string) []string {
	return append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, names...)
}

// CanInstall reports whether this process may run InstallCommand.
func CanInstall() bool {
	_, ok := debian()
	_, err := exec.LookPath("apt-get")
	return ok && err == nil && os.Geteuid() == 0
}

// debian returns the release number of the Debian that this runs on; other
// systems that use its packages have an empty one.
func debian() (release string, ok bool) {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", false
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		fields[key] = strings.Trim(value, `"'`)
	}
	if fields["ID"] == "debian" {
		return fields["VERSION_ID"], true
	}
	return "", strings.Contains(fields["ID_LIKE"], "debian")
}
