package options

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"github.com/yolkos/yolk/arch/amd64/embedded"
	"github.com/yolkos/yolk/cmd/yolk/internal/image"
	"github.com/yolkos/yolk/qemu"
)

// Embed are the options of yolk build and yolk image that say what the image carries besides the
// program.
type Embed struct {
	Roots    []string
	args     []string
	env      Env
	cwd      string
	Writable bool
	Mounts   DiskMounts
	Named    bool // the image carries the program's name, also without arguments
}

// Add defines the options in set.
func (f *Embed) Add(set *pflag.FlagSet) {
	set.StringArrayVar(&f.Roots, "root", nil, "directory of the host that goes into the image, as its root or at a path there, DIR[:/guest/path] (repeatable)")
	set.StringArrayVar(&f.args, "args", nil, "arguments that the program has if none are given when it is run, in one string, quoted as for a shell (repeatable)")
	f.env.Add(set)
	set.StringVar(&f.cwd, "cwd", "", "working directory in the guest")
	f.Mounts.Add(set)
	set.BoolVar(&f.Writable, "writable", false, "take changes of the root, in memory; without it the root is read-only")
}

// Into makes the parts of an image of p, to be built into file, and has p mount its root.
func (f *Embed) Into(p *image.Program, file string) ([]image.Part, error) {
	p.Root, p.Disks = len(f.Roots) > 0, len(f.Mounts.List) > 0
	return f.parts(p.Name, file, os.Stderr)
}

// parts makes the parts of an image of a program, to be built into file. Notes gets what
// there is to be said.
func (f *Embed) parts(program, file string, notes io.Writer) ([]image.Part, error) {
	var list []image.Part
	add := func(name, data string) {
		if data != "" {
			list = append(list, image.Part{Name: name, Size: uint64(len(data)), Write: func(w io.Writer) error {
				_, err := io.WriteString(w, data)
				return err
			}})
		}
	}
	args := []string{program}
	for _, text := range f.args {
		words, err := splitWords(text)
		if err != nil {
			return nil, fmt.Errorf("--args %q: %w", text, err)
		}
		args = append(args, words...)
	}
	env, err := f.env.Environment(nil)
	if err != nil {
		return nil, err
	}
	for _, s := range append(args, f.cwd) {
		if strings.ContainsRune(s, 0) {
			return nil, fmt.Errorf("%q: a NUL byte cannot be passed on", s)
		}
	}
	if f.cwd != "" && !path.IsAbs(f.cwd) {
		return nil, fmt.Errorf("--cwd %s: want an absolute path of the guest", f.cwd)
	}
	if f.Writable && len(f.Roots) == 0 {
		return nil, errors.New("--writable is for the root in the image, and there is no --root")
	}
	if len(env) > 0 {
		add(embedded.Env, strings.Join(env, "\x00")+"\x00")
	}
	add(embedded.Cwd, f.cwd)
	flags := ""
	if f.Writable {
		flags = "writable=1\n"
	}
	for _, m := range f.Mounts.List {
		flags += m.Settings()
	}
	add(embedded.Flags, flags)
	if f.Named || len(list) > 0 || len(args) > 1 || len(f.Roots) > 0 {
		add(embedded.Args, strings.Join(args, "\x00")+"\x00")
	}
	if len(f.Roots) == 0 {
		return list, nil
	}
	root, err := image.NewRoot(file)
	if err != nil {
		return nil, err
	}
	for _, text := range f.Roots {
		s, err := RootSource(text)
		if err != nil {
			return nil, err
		}
		if err := root.Add(s); err != nil {
			return nil, fmt.Errorf("--root %s: %w", text, err)
		}
	}
	for _, n := range root.Notes {
		fmt.Fprintln(notes, "yolk:", n)
	}
	for _, dir := range root.Hidden(KernelDirs) {
		fmt.Fprintf(notes, "yolk: what the image has in %s does not show: the guest has a %[1]s of its own\n", dir)
	}
	l, err := root.Layout()
	if err != nil {
		return nil, err
	}
	return append(list, image.Part{Name: embedded.Root, Size: l.Size(), Write: l.Write}), nil
}

// RootSource reads DIR[:/guest/path]. A directory's name may have colons in it: the last
// one before a slash counts, unless there is a directory of the whole name.
func RootSource(text string) (image.Source, error) {
	at := strings.LastIndex(text, ":/")
	if _, err := os.Stat(text); err == nil || at < 0 {
		at = len(text)
	}
	s := image.Source{Host: text[:at], Path: "/"}
	if at < len(text) {
		s.Path = path.Clean(text[at+1:])
	}
	if s.Host == "" {
		return s, fmt.Errorf("--root %q: want DIR or DIR:/guest/path", text)
	}
	return s, nil
}

// Carried is what an image carries that decides how it is run.
type Carried struct {
	Root, Args, Cwd bool
	Mounts          []qemu.DiskMount
}

// CarriedBy looks into an image; it is nothing if the image cannot be read, of which who
// boots it tells.
func CarriedBy(name string) (c Carried) {
	if !image.IsELF(name) {
		return c
	}
	f, err := os.Open(name)
	if err != nil {
		return c
	}
	defer f.Close()
	for part, has := range map[string]*bool{embedded.Root: &c.Root, embedded.Args: &c.Args, embedded.Cwd: &c.Cwd} {
		s, err := image.FindPart(f, part)
		*has = err == nil && s != nil
	}
	const most = 1 << 20 // of settings, in bytes
	if s, err := image.FindPart(f, embedded.Flags); err == nil && s != nil && s.Size() <= most {
		settings, _ := io.ReadAll(s) // what is wrong is told when the image is opened
		c.Mounts = qemu.ParseDiskMounts(string(settings))
	}
	return c
}

// splitWords splits a text at spaces. Single quotes keep what is between them as it is;
// double quotes too, but for a backslash; a backslash outside of single quotes keeps the
// next character.
func splitWords(text string) (words []string, err error) {
	var word strings.Builder
	in, quote := false, rune(0)
	escaped := false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, in = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a %c without its end", quote)
	case escaped:
		return nil, errors.New("nothing behind the \\ at the end")
	case in:
		words = append(words, word.String())
	}
	return words, nil
}
