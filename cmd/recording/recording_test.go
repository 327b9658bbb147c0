package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCast(t *testing.T) {
	c := &cast{header{Version: 2, Width: 80, Height: 24, Idle: 1.5, Title: "a <title>"}, []event{{0, "a\r\n"}, {1500 * time.Millisecond, "\x1b[1mкол & <卵>"}}}
	data, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(data)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%s is read back as %+v, %v", data, got, err)
	}
	for _, text := range []string{
		"", "{}", `{"version":1,"width":80,"height":24}`, `{"version":2,"width":0,"height":24}`, `{"version":2,"width":80,"height":1000}`,
		`{"version":2,"width":8,"height":2}` + "\n[1]", `{"version":2,"width":8,"height":2}` + "\n[-1,\"o\",\"\"]",
		`{"version":2,"width":8,"height":2}` + "\n[2,\"o\",\"\"]\n[1,\"o\",\"\"]", `{"version":2,"width":8,"height":2}` + "\nx",
	} {
		if _, err := decode([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestPicture(t *testing.T) {
	c := &cast{header{Version: 2, Width: 20, Height: 3, Idle: 1, Title: "a & b"}, []event{
		{0, "one\r\n"}, {time.Second, "\x1b[1;31mr<&>d\x1b[0m \x1b[7mback\x1b[0m"}, {time.Hour, "\x1b[2J\x1b[H\x1b[38;2;1;2;3mnew"},
	}}
	svg, err := picture(c)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg)
	for _, text := range []string{
		"<title>a &amp; b</title>", `>one</text>`, `fill="#e06c75" class="b">r&lt;&amp;&gt;d</text>`, `fill="` + background + `">back</text>`, `fill="#010203">new</text>`,
		"0.000%{", "16.667%{transform", "33.333%{transform", // of 6 s: a second, the pause cut to one, and the last
	} {
		if !bytes.Contains(svg, []byte(text)) {
			t.Errorf("no %q in\n%s", text, svg)
		}
	}
	if _, err := picture(&cast{header: header{Version: 2, Width: 20, Height: 3}}); err == nil {
		t.Error("a cast without events has a picture")
	}
}

func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// docs/demo.svg is the picture of docs/demo.cast, which is of the session.
func TestRecordingIsCurrent(t *testing.T) {
	c, err := readCast("../../docs/demo.cast")
	if err != nil {
		t.Fatal(err)
	}
	want, err := picture(c)
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, want)
	got, err := os.ReadFile("../../docs/demo.svg")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/demo.svg is not the picture of docs/demo.cast, %v: go run ./cmd/recording -from docs/demo.cast", err)
	}
	var shown strings.Builder
	for _, ev := range c.events {
		shown.WriteString(ev.text)
	}
	for _, s := range session {
		// The line editor writes each character anew.
		first, _, _ := strings.Cut(s.keys, " ")
		if !strings.Contains(shown.String(), strings.TrimSuffix(first, "\r")) {
			t.Errorf("the cast does not show %q: make recording", s.keys)
		}
	}
}

func TestWholeCharacters(t *testing.T) {
	for text, want := range map[string]int{"": 0, "ab": 2, "aя": 3, "a\xd1": 1, "卵": 3, "a\xe5\x8d": 1, "a\xe5": 1, "\xf0\x9f\x98": 0, "😀": 4, "\x80\x80\x80\x80": 4} {
		if got := wholeCharacters([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestPlay(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rec := newRecorder()
	rec.show("machine> ")
	done := make(chan error, 1)
	go func() { done <- rec.play(w, []step{{keys: "a\r"}, {wait: "$ ", keys: "b"}}) }()
	buf := make([]byte, 2)
	if _, err := io.ReadFull(r, buf); err != nil || string(buf) != "a\r" {
		t.Fatalf("%q, %v", buf, err)
	}
	rec.show("a\r\n$ ")
	if _, err := io.ReadFull(r, buf[:1]); err != nil || buf[0] != 'b' {
		t.Fatalf("%q, %v", buf, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.Close()
	ended := newRecorder()
	ended.read(r)
	if err := ended.play(w, []step{{keys: "a"}}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("after the end: %v", err)
	}
}
