package imports

import (
	"bytes"
	"go/build"
	"go/build/constraint"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cmd/go/internal/cfg"
	"cmd/go/internal/fsys"
	"cmd/go/internal/str"
	"cmd/internal/par"
)

// With GOOS=tamago, packages outside GOROOT are matched as for Linux: the tags
// linux and unix hold, and names that end in _linux. A package that has a file for
// tamago, or one that tamago leaves out, knows of it: it is matched as it says, if
// what it says is a package. Some say it of a file here and there and were never
// built so, or leave nothing: then the files for Linux are taken, if they are one.
// As tamago says are also those modules matched that make the system, whose
// packages without such files are for any system, or for the one that builds images.

// systemModules are those modules, with what lies below their paths.
var systemModules = []string{"github.com/yolkos/yolk", "github.com/usbarmory"}

// AsLinux reports whether the package in dir is matched as for Linux.
func AsLinux(dir string) bool {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if cfg.Goos != "tamago" || str.HasFilePathPrefix(dir, cfg.GOROOTsrc) {
		return false
	}
	return asLinux.Do(dir, func() bool { return !ofSystem(dir) && (!knowsTamago(dir) || onlyForLinux(dir)) })
}

var asLinux, inSystem par.Cache[string, bool]

// LinuxTags returns the tags that hold in dir: tags, or those with Linux's in
// place of tamago's.
func LinuxTags(dir string, tags map[string]bool) map[string]bool {
	if tags["*"] || !AsLinux(dir) {
		return tags
	}
	return linuxTags(tags)
}

func linuxTags(tags map[string]bool) map[string]bool {
	tags = maps.Clone(tags)
	delete(tags, "tamago")
	tags["linux"], tags["unix"] = true, true
	return tags
}

// LinuxContext is LinuxTags for a build.Context.
func LinuxContext(dir string, ctxt build.Context) build.Context {
	if AsLinux(dir) {
		ctxt.GOOS = "linux"
	}
	return ctxt
}

// ofSystem reports whether dir is of one of the systemModules, by the vendor
// directory that it lies in or the go.mod file above it.
func ofSystem(dir string) bool {
	return inSystem.Do(dir, func() bool {
		if _, path, ok := strings.Cut(filepath.ToSlash(dir), "/vendor/"); ok {
			return isSystem(path)
		}
		if text, err := fsys.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			m := moduleLine.FindSubmatch(text)
			return m != nil && isSystem(string(m[1]))
		}
		parent := filepath.Dir(dir)
		return parent != dir && ofSystem(parent)
	})
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

func isSystem(path string) bool {
	for _, m := range systemModules {
		if str.HasPathPrefix(path, m) {
			return true
		}
	}
	return false
}

// knowsTamago reports whether a file in dir names tamago in its name or its
// build line.
func knowsTamago(dir string) bool {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); ext != ".go" && ext != ".s" || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			continue
		}
		if MatchFile(name, forTamago) && !MatchFile(name, forOthers) || namesTamago(filepath.Join(dir, name)) {
			return true
		}
	}
	return false
}

// onlyForLinux reports whether the files in dir make a package for Linux, and
// none for tamago.
func onlyForLinux(dir string) bool {
	tamago, linux := goFiles(dir, Tags()), goFiles(dir, linuxTags(Tags()))
	return !coherent(tamago, linux) && coherent(linux, tamago)
}

// goFiles returns the text of the Go files in dir that tags take, but for tests
// and what needs C.
func goFiles(dir string, tags map[string]bool) map[string]string {
	files := map[string]string{}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return files
	}
	for _, e := range entries {
		name := e.Name()
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || !MatchFile(name, tags) {
			continue
		}
		text, err := fsys.ReadFile(filepath.Join(dir, name))
		if err != nil || !ShouldBuild(text, tags) {
			continue
		}
		var imports []string
		if _, err := ReadImports(bytes.NewReader(text), false, &imports); err == nil && slices.Contains(imports, `"C"`) {
			continue
		}
		files[name] = string(text)
	}
	return files
}

var (
	forTamago = map[string]bool{"tamago": true, cfg.Goarch: true}
	forOthers = map[string]bool{cfg.Goarch: true}
)

// namesTamago reports whether the build line of a file has the tag tamago. Such
// a line stands within the first bytes, behind comments alone.
func namesTamago(name string) bool {
	f, err := fsys.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 8<<10))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(head)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "package ") {
			return false
		}
		if !constraint.IsGoBuild(line) && !constraint.IsPlusBuild(line) {
			continue
		}
		found := false
		if x, err := constraint.Parse(line); err == nil {
			x.Eval(func(tag string) bool {
				found = found || tag == "tamago"
				return false
			})
		}
		if found {
			return true
		}
	}
	return false
}
