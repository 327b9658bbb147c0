//go:build !linux || tamago

package guest

import "os"

// Start returns the program's arguments without its name.
func Start() ([]string, error) { return os.Args[1:], nil }

// Waits returns what Yolk has waited.
func Waits() (Waiting, error) {
	text, err := os.ReadFile("/proc/yolk/virtio")
	if err != nil {
		return Waiting{}, err
	}
	return yolkWaiting(string(text))
}

// Exit ends the program.
func Exit(status int) { os.Exit(status) }
