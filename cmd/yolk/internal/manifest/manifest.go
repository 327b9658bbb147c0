package manifest

import (
	"bytes"
	"embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
)

//go:embed files
var files embed.FS

// File is a file of a bundle.
type File struct {
	Name string // below the bundle's directory
	Mode fs.FileMode
	Data []byte
}

// kinds are the templates and what becomes of them.
var kinds = []struct {
	template string
	name     func(*Spec) string
	mode     fs.FileMode
	unless   func(*Spec) bool // nil: always
}{
	{"start", named("start"), 0o755, nil},
	{"start-qemu", named("start-qemu"), 0o755, func(s *Spec) bool { return s.NeedsServers() || s.beyondUserNet() }},
	{"systemd.service", func(s *Spec) string { return s.Name + ".service" }, 0o644, nil},
	{"libvirt.xml", named("libvirt.xml"), 0o644, (*Spec).beyondUserNet},
	{"kubernetes.yaml", named("kubernetes.yaml"), 0o644, func(s *Spec) bool { return s.NoImage }},
	{"kubevirt.yaml", named("kubevirt.yaml"), 0o644, func(s *Spec) bool { return s.NoImage || s.Shared }},
	{"nomad.json", named("nomad.json"), 0o644, func(s *Spec) bool { return s.NoImage }},
	{"firecracker.json", named("firecracker.json"), 0o644, (*Spec).NeedsServers},
	{"cloud-hypervisor.json", named("cloud-hypervisor.json"), 0o644, nil},
}

func named(name string) func(*Spec) string { return func(*Spec) string { return name } }

// NeedsServers reports whether the guest has directories of the host, which want a server
// of virtio-fs.
func (s *Spec) NeedsServers() bool { return s.Shared || len(s.Volumes) > 0 }

// Files writes the files of a bundle. Its values have been checked.
func (s *Spec) Files() ([]File, error) {
	all, err := template.New("").Funcs(template.FuncMap{
		"sh": shellWord, "unit": unitWord, "xml": xmlText, "json": jsonText, "join": strings.Join,
		"kernelwords": kernelWords, "kernelcommand": kernelCommand,
	}).ParseFS(files, "files/*")
	if err != nil {
		return nil, err
	}
	var list []File
	for _, k := range kinds {
		if k.unless != nil && k.unless(s) {
			continue
		}
		var b bytes.Buffer
		if err := all.ExecuteTemplate(&b, k.template, s); err != nil {
			return nil, err
		}
		list = append(list, File{Name: k.name(s), Mode: k.mode, Data: b.Bytes()})
	}
	return list, nil
}

// shellWord is a word for sh; a variable at its start stays one.
func shellWord(s string) string {
	for _, v := range []string{"$here", "$volumes"} {
		if rest, ok := strings.CutPrefix(s, v); ok {
			return `"` + v + `"` + shellWord(rest)
		}
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,=[]") == "" && !strings.ContainsAny(s, "[]") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unitWord is a word of a command in a unit of systemd, where % and $ have meanings
// (systemd.service(5), systemd.unit(5)).
func unitWord(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(s)
	if strings.ContainsAny(s, " \t'\\\";") || s == "" {
		return `"` + s + `"`
	}
	return s
}

func xmlText(v any) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, fmt.Append(nil, v))
	return b.String(), err
}

// jsonText is a value in JSON, which YAML takes as well.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSpace(b.String()), err
}

// kernelWords are the words of the kernel's command line that say what yolk run would tell:
// the network's settings, and where the guest mounts its shares.
func kernelWords(s *Spec) string {
	var words []string
	if s.Hostname != "" {
		words = append(words, "yolk.net.hostname="+s.Hostname)
	}
	for _, n := range s.Network {
		name, value, _ := strings.Cut(n, "=")
		words = append(words, `yolk.net.`+name+`="`+value+`"`)
	}
	for _, v := range s.Volumes {
		words = append(words, "yolk.path."+v.Name+"="+v.Path)
		if v.ReadOnly() {
			words = append(words, "yolk.readonly."+v.Name)
		}
	}
	return strings.Join(words, " ")
}

// kernelCommand is the kernel's command line of monitors that are told it as a whole.
func kernelCommand(s *Spec) string { return strings.TrimSpace("yolk.quiet " + kernelWords(s)) }
