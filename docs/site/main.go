// Command site makes a web site of the pages that are in the repository, with Hugo:
//
//	go run ./docs/site -o public
//
// The pages stay as GitHub shows them: titles, places and links between them are those of
// the files. Hugo runs in a guest of Yolk's (-on yolk), or on this machine.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/yolkos/yolk/docs/pages"
)

// hugo is the program and its version, which cmd/compatibility tries as well.
const hugo = "github.com/gohugoio/hugo@v0.165.0"

func main() {
	top := flag.String("top", ".", "the repository's `directory`")
	out := flag.String("o", "bin/site", "`directory` of the site; what is in it is replaced")
	on := flag.String("on", "host", "where Hugo runs: host or yolk")
	yolk := flag.String("yolk", "bin/yolk", "the yolk `command`")
	flag.Parse()
	if err := build(*top, *out, *on, *yolk); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// build makes the site in out.
func build(top, out, on, yolk string) error {
	tmp, err := os.MkdirTemp("", "yolk-site-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	source := filepath.Join(tmp, "site") // Hugo takes no root directory
	if err := prepare(top, source); err != nil {
		return err
	}
	var cmd *exec.Cmd
	switch on {
	case "host":
		cmd = exec.Command("go", "run", hugo, "--source", source, "--noBuildLock")
	case "yolk":
		cmd = exec.Command(yolk, "run", "-q", "--mem", "1G", "--root", tmp, hugo, "--source", "/site", "--noBuildLock")
	default:
		return fmt.Errorf("-on %s: want host or yolk", on)
	}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("hugo: %w", err)
	}
	made := filepath.Join(source, "public")
	if err := checkLinks(made); err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	return os.CopyFS(out, os.DirFS(made))
}

// prepare lays out in dir what Hugo makes the site of.
func prepare(top, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(top, "docs/site/theme"))); err != nil {
		return err
	}
	all, err := pages.Read(top)
	if err != nil {
		return err
	}
	for _, p := range all {
		source, err := os.ReadFile(filepath.Join(top, p.Name))
		if err != nil {
			return err
		}
		name := p.Name
		if filepath.Base(name) == "README.md" { // what GitHub shows of a directory
			name = filepath.Join(filepath.Dir(name), "_index.md")
		}
		text := fmt.Sprintf("---\ntitle: %s\nfile: %s\n---\n%s", strconv.Quote(p.Title), p.Name, source)
		if err := write(filepath.Join(dir, "content", name), []byte(text)); err != nil {
			return err
		}
	}
	return pictures(top, dir, all)
}

// pictures copies the files that pages show.
func pictures(top, dir string, all []*pages.Page) error {
	for _, p := range all {
		for _, l := range p.Links {
			switch filepath.Ext(l.Text) {
			case ".svg", ".png", ".cast":
			default:
				continue
			}
			if strings.Contains(l.Text, "://") {
				continue
			}
			name := filepath.Join(filepath.Dir(p.Name), l.Text)
			data, err := os.ReadFile(filepath.Join(top, name))
			if err != nil {
				return fmt.Errorf("%s:%d: %w", p.Name, l.Line, err)
			}
			if err := write(filepath.Join(dir, "static", name), data); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// checkLinks reports a link of the site to a file of its own that is not there.
func checkLinks(dir string) error {
	pages := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".html" {
			return err
		}
		pages++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, to := range links(string(text)) {
			path, fragment, _ := strings.Cut(to, "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			there, err := os.ReadFile(target)
			if err != nil {
				return fmt.Errorf("%s: the link %s: %w", name, to, err)
			}
			if fragment != "" && !strings.Contains(string(there), `id="`+fragment+`"`) && !strings.Contains(string(there), "id="+fragment) {
				return fmt.Errorf("%s: the link %s: no such heading", name, to)
			}
		}
		return nil
	})
	if err == nil && pages < 10 {
		err = fmt.Errorf("Hugo made %d pages", pages)
	}
	return err
}

// links returns where a page's links lead that are not to other places of the web.
func links(html string) (list []string) {
	for _, attribute := range []string{`href="`, `src="`} {
		for rest := html; ; {
			_, after, ok := strings.Cut(rest, attribute)
			if !ok {
				break
			}
			to, more, _ := strings.Cut(after, `"`)
			rest = more
			if !strings.Contains(to, "://") && !strings.HasPrefix(to, "mailto:") {
				list = append(list, to)
			}
		}
	}
	return list
}
