package bundle

import (
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yolkos/yolk/qemu"
	"github.com/yolkos/yolk/toolchain/group"
)

// firmware are the files that QEMU reads for the machines of yolk run. Not all versions
// have all.
var firmware = []string{"qboot.rom", "pvh.bin", "kvmvapic.bin", "linuxboot_dma.bin", "bios-256k.bin", "efi-virtio.rom"}

// moduleDirs are the directories where distributions keep parts of QEMU, and loaded are those
// that its machines here load, where they are no part of the program.
var (
	moduleDirs = []string{"/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib64/qemu", "/usr/lib/qemu"}
	loaded     = []string{"accel-tcg-x86_64.so"}
)

// hostQEMU lists the host's QEMU with all that it needs: libraries, modules and firmware, by
// their names on the host. libraries are the directories of the libraries.
func hostQEMU() (files []entry, libraries []string, program string, err error) {
	program, err = qemu.FindQEMU()
	if err != nil {
		return nil, nil, "", fmt.Errorf("OCI image: %w; or leave it out with --no-oci", err)
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return nil, nil, "", err
	}
	files, libraries, err = withLibraries(program)
	if err != nil {
		return nil, nil, "", err
	}
	for _, dir := range moduleDirs {
		for _, m := range loaded {
			if name := path.Join(dir, m); isRegular(name) {
				files = append(files, entry{name: name, mode: 0o644, from: name})
			}
		}
	}
	cmd := exec.Command(program, "-L", "help")
	group.Lead(cmd)
	out, err := cmd.Output()
	if err != nil {
		return nil, nil, "", fmt.Errorf("OCI image: %s does not tell where its firmware is: %w", program, err)
	}
	found := map[string]bool{}
	for dir := range strings.FieldsSeq(string(out)) {
		for _, f := range firmware {
			if name := path.Join(dir, f); !found[f] && isRegular(name) {
				found[f] = true
				files = append(files, entry{name: name, mode: 0o644, from: name})
			}
		}
	}
	if !found[firmware[0]] {
		return nil, nil, "", fmt.Errorf("OCI image: no %s in %s", firmware[0], strings.TrimSpace(string(out)))
	}
	return files, libraries, program, nil
}

func isRegular(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// withLibraries lists a program, the loader that it names, and the libraries that this finds.
func withLibraries(program string) (files []entry, dirs []string, err error) {
	files = []entry{{name: program, mode: 0o755, from: program}}
	loader, err := interpreter(program)
	if err != nil || loader == "" {
		return files, nil, err
	}
	files = append(files, entry{name: loader, mode: 0o755, from: loader})
	cmd := exec.Command(loader, "--list", program)
	group.Lead(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, nil, fmt.Errorf("OCI image: libraries of %s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	names, err := libraries(string(out))
	if err != nil {
		return nil, nil, fmt.Errorf("OCI image: libraries of %s: %w", program, err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if name == loader {
			continue
		}
		files = append(files, entry{name: name, mode: 0o644, from: name})
		seen[path.Dir(name)] = true
	}
	return files, slices.Sorted(maps.Keys(seen)), nil
}

// libraries reads what a loader lists: "name => path (address)", "path (address)", and what
// has no file.
func libraries(list string) (names []string, err error) {
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " (0x")
		name, file, found := strings.Cut(line, " => ")
		switch {
		case found && path.IsAbs(file):
			names = append(names, path.Clean(file))
		case found:
			return nil, fmt.Errorf("%s: %s", name, file)
		case path.IsAbs(line):
			names = append(names, path.Clean(line))
		}
	}
	return names, nil
}

// interpreter is the loader that a program names; empty: it needs none.
func interpreter(program string) (string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, min(p.Filesz, 4096))
			if _, err := p.ReadAt(b, 0); err != nil {
				return "", fmt.Errorf("%s: %w", program, err)
			}
			return path.Clean(strings.TrimRight(string(b), "\x00")), nil
		}
	}
	return "", nil
}
