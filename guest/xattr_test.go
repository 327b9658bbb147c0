//go:build tamago

package guest

import (
	"os"
	"syscall"
	"testing"
)

// The package's directory lies on virtio-fs.
func TestXattrOnShare(t *testing.T) {
	const name, attr = "xattr.tmp", "user.yolk"
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(name)
	if err := syscall.Setxattr(name, attr, []byte("value"), 0); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if n, err := syscall.Getxattr(name, attr, buf); err != nil || string(buf[:n]) != "value" {
		t.Errorf("%q, %v", buf[:max(n, 0)], err)
	}
	if n, err := syscall.Listxattr(name, buf); err != nil || string(buf[:n]) != attr+"\x00" {
		t.Errorf("%q, %v", buf[:max(n, 0)], err)
	}
	if err := syscall.Removexattr(name, attr); err != nil {
		t.Error(err)
	}
	if _, err := syscall.Getxattr(name, attr, buf); err != syscall.ENODATA {
		t.Errorf("a removed attribute: %v", err)
	}
}
