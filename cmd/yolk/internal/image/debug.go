package image

import (
	"bytes"
	"debug/elf"
	"io"
	"slices"
)

// symbols are the linker's flags for what debuggers read.
func (b *Builder) symbols() string {
	if b.Debug {
		return ""
	}
	return smallFlags
}

// ownPackages are patterns of the packages that are a program's own: those of its module,
// and of the user's workspace. In the kernel's module they are those below the program.
func ownPackages(p pkg, ws *workspace) []string {
	if ws.file == "" {
		return []string{p.ImportPath + "/..."}
	}
	list := ws.modules
	if p.Module != nil && !slices.Contains(list, p.Module.Path) {
		list = append(slices.Clone(list), p.Module.Path)
	}
	var patterns []string
	for _, m := range list {
		patterns = append(patterns, m+"/...")
	}
	return patterns
}

// unoptimized puts before flags of go build those that leave a program's variables and
// lines as they are written, in the package that is named and in those of the patterns:
// not in the kernel and the standard library. The last flag that matches a package counts:
// the user's own.
func unoptimized(flags, goflags, patterns []string) []string {
	const plain = "-N -l"
	all := []string{"-gcflags=" + plain}
	for _, p := range patterns {
		all = append(all, "-gcflags="+p+"="+plain)
	}
	if users, _ := takeFlag(flags, "gcflags"); len(users) == 0 {
		users, _ = takeFlag(goflags, "gcflags")
		for _, u := range users {
			all = append(all, "-gcflags="+u)
		}
	}
	return append(all, flags...)
}

// Symbols tells what an image has for debuggers: whether there is DWARF, and the path of
// the script that gdb is to load with it, "" if there is none.
func Symbols(r io.ReaderAt) (dwarf bool, script string) {
	f, err := elf.NewFile(r)
	if err != nil {
		return false, ""
	}
	dwarf = f.Section(".debug_info") != nil || f.Section(".zdebug_info") != nil
	const python = 1 // SECTION_SCRIPT_ID_PYTHON_FILE; a path and a NUL byte follow
	if s := f.Section(".debug_gdb_scripts"); s != nil && s.Size < 1<<16 {
		if data, err := s.Data(); err == nil && len(data) > 0 && data[0] == python {
			name, _, _ := bytes.Cut(data[1:], []byte{0})
			script = string(name)
		}
	}
	return dwarf, script
}
