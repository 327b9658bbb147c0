package pages_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/yolkos/yolk/docs/pages"
)

const page = "# A `page`, of *two* words\n\nSee [this\nlink](other.md#there) and ![that](a.svg), or `make it`.\n\n" +
	"| a | b |\n|---|---|\n| [c](d.md) | `e` |\n\n" +
	"## Type\n\n    $ cat >f <<'END'\n    text\n\n    END\n    $ run \\\n        on\n    printed\n\n## Type\n\n" +
	"```sh\n# first\nyolk run . # comment\n```\n\n    make all\n    make test\n\nBut:\n\n    no command\n"

func TestParse(t *testing.T) {
	p := pages.Parse("p.md", []byte(page))
	if p.Title != "A page, of two words" {
		t.Errorf("title %q", p.Title)
	}
	if want := map[string]bool{"a-page-of-two-words": true, "type": true, "type-1": true}; !reflect.DeepEqual(p.Anchors, want) {
		t.Errorf("anchors %v", p.Anchors)
	}
	if want := []pages.Span{{"other.md#there", 3}, {"a.svg", 4}, {"d.md", 8}}; !reflect.DeepEqual(p.Links, want) {
		t.Errorf("links %v", p.Links)
	}
	if want := []pages.Span{{"page", 1}, {"make it", 4}, {"e", 8}}; !reflect.DeepEqual(p.Code, want) {
		t.Errorf("code %v", p.Code)
	}
	var commands []pages.Command
	for _, b := range p.Blocks {
		commands = append(commands, b.Commands()...)
	}
	want := []pages.Command{
		{"cat >f <<'END'\ntext\n\nEND", "", 12},
		{"run \\\n    on", "printed\n", 16},
		{"yolk run . # comment", "", 24},
		{"make all", "", 27},
		{"make test", "", 28},
	}
	if !reflect.DeepEqual(commands, want) {
		t.Errorf("commands %+v\nwant %+v", commands, want)
	}
}

func ExampleSlug() {
	fmt.Println(pages.Slug("What QEMU's `-append` is, and isn't"))
	// Output: what-qemus--append-is-and-isnt
}
