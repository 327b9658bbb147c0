package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/yolkos/yolk/toolchain/group"
)

// tool is a program, or a directory of files, of another package that an image is made with.
type tool struct {
	names []string // of the program, in the order in which they are looked for
	file  string   // else of a file that is there
	pkg   string   // Debian's package
}

var (
	grubMkimage = tool{names: []string{"grub-mkimage", "grub2-mkimage"}, pkg: "grub-common"}
	grubBIOS    = tool{file: "i386-pc/boot.img", pkg: "grub-pc-bin"}
	grubEFI     = tool{file: "x86_64-efi/kernel.img", pkg: "grub-efi-amd64-bin"}
	mformat     = tool{names: []string{"mformat"}, pkg: "mtools"}
	mmd         = tool{names: []string{"mmd"}, pkg: "mtools"}
	mcopy       = tool{names: []string{"mcopy"}, pkg: "mtools"}
	xorriso     = tool{names: []string{"xorriso"}, pkg: "xorriso"}
	qemuImg     = tool{names: []string{"qemu-img"}, pkg: "qemu-utils"}
)

// grubFiles are where distributions keep GRUB's modules; a variable for tests.
var grubFiles = "/usr/lib/grub"

// find returns the path of a tool.
func (t *tool) find() (string, bool) {
	for _, n := range t.names {
		if path, err := exec.LookPath(n); err == nil {
			return path, true
		}
	}
	path := filepath.Join(grubFiles, t.file)
	_, err := os.Stat(path)
	return path, t.file != "" && err == nil
}

// need is an error that names what is missing of a list of tools, and how it is installed.
func need(tools ...*tool) error {
	var missing, packages []string
	for _, t := range tools {
		if _, ok := t.find(); ok {
			continue
		}
		if t.file != "" {
			missing = append(missing, filepath.Join(grubFiles, t.file))
		} else {
			missing = append(missing, t.names[0])
		}
		if !slices.Contains(packages, t.pkg) {
			packages = append(packages, t.pkg)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("not installed: %s; on Debian: apt-get install %s", strings.Join(missing, ", "), strings.Join(packages, " "))
}

// run runs a tool, so that it makes the same whenever and wherever it runs. What it says
// is in the error.
func (m *maker) run(ctx context.Context, t *tool, args ...string) error {
	path, ok := t.find()
	if !ok {
		return need(t)
	}
	if m.Trace != nil {
		fmt.Fprintln(m.Trace, "+", path, strings.Join(args, " "))
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "MTOOLSRC=/dev/null", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch.Unix()))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := group.Run(cmd)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	text := string(bytes.TrimSpace(out.Bytes()))
	if text == "" {
		text = err.Error()
	}
	// The tools say that in many lines, each in its own words.
	for _, words := range []string{"No space left on device", "exceeds free space on media"} {
		if strings.Contains(text, words) {
			return fmt.Errorf("%s: %w", filepath.Base(path), syscall.ENOSPC)
		}
	}
	return fmt.Errorf("%s: %w", filepath.Base(path), errors.New(text))
}
