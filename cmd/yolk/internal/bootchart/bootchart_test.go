package bootchart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// elements parses an SVG and counts its elements.
func elements(t *testing.T, text []byte) map[string]int {
	t.Helper()
	n := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
		tok, err := d.Token()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if s, ok := tok.(xml.StartElement); ok {
			n[s.Name.Local]++
		}
	}
}

func TestSVG(t *testing.T) {
	c := Chart{Title: "a <b> & c", Hz: 1e9, Stages: []Stage{{"arch/amd64: x", 1e6}, {"runtime", 2e6}, {"kernel \x00<", 2e6}, {"main", 40e6}}}
	text, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if n := elements(t, text); strings.Contains(string(text), "%!") || n["rect"] != 1+4 || n["text"] != 1+5+2*4 {
		t.Errorf("%v in\n%s", n, text)
	}
	for _, want := range []string{"first instruction to main, 40.0 ms", ">1.000 ms, 2.5 %<", ">38.0 ms, 95.0 %<", "a &lt;b&gt; &amp; c", firmware} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	c.Instructions = true
	if text, err = c.SVG(); err != nil || !strings.Contains(string(text), "main, 40.00 million instructions") || !strings.Contains(string(text), ">1.00 million, 2.5 %<") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestNothingToDraw(t *testing.T) {
	for _, c := range []Chart{{Hz: 1}, {Hz: 1, Stages: []Stage{{"main", 5}}}} {
		if _, err := c.SVG(); !errors.Is(err, ErrNoBoot) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []Chart{
		{Stages: []Stage{{"a", 1}, {"b", 2}}},
		{Hz: 1, Stages: []Stage{{"a", 0}, {"b", 0}}},
		{Hz: 1, Stages: []Stage{{"a", 3}, {"b", 2}}},
		{Hz: 1, Instructions: true, Stages: []Stage{{"a", 1}, {"b", 1 << 63}, {"c", 4}}},
	} {
		if text, err := c.SVG(); err == nil {
			t.Errorf("%+v: no error:\n%s", c, text)
		}
	}
}
