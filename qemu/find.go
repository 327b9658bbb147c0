package qemu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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

// Packages are the Debian packages that hold what this package runs. The
// daemon comes with qemu-system-common up to Debian 12, by itself later.
func Packages() []string {
	packages := []string{"qemu-system-x86", "qemu-system-common"}
	if release, ok := debian(); ok && release != "11" && release != "12" {
		packages = append(packages, "virtiofsd")
	}
	return packages
}

// InstallHint says how to install what this package runs.
func InstallHint() string {
	if _, ok := debian(); !ok {
		return "install QEMU for x86-64 and virtiofsd"
	}
	command := "apt-get install --no-install-recommends " + strings.Join(Packages(), " ")
	if os.Geteuid() != 0 {
		command = "sudo " + command
	}
	return "install it with: " + command
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
