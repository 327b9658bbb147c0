package main

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start serves dir and returns the addresses and what ends it.
func start(t *testing.T, c config) (addrs []string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	listening := make(chan string, 2)
	c.listening = func(l net.Listener) { listening <- l.Addr().String() }
	c.grace = time.Minute
	want := 1
	if c.cert != "" {
		want = 2
	}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, c, slog.New(slog.DiscardHandler)) }()
	for range want {
		select {
		case a := <-listening:
			addrs = append(addrs, a)
		case err := <-ended:
			t.Fatal(err)
		}
	}
	return addrs, func() error { cancel(); return <-ended }
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

func TestServes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	addrs, stop := start(t, config{http: "127.0.0.1:0", https: "127.0.0.1:0", cert: "self", names: "localhost,127.0.0.1", dir: dir})

	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // nobody has signed it
		ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	for i, scheme := range []string{"http", "https"} {
		r, body := get(t, client, scheme+"://"+addrs[i]+"/a.txt")
		if r.StatusCode != 200 || body != "one" || r.ProtoMajor != i+1 {
			t.Errorf("%s: %s %s %q; want \"one\" by HTTP/%d", scheme, r.Proto, r.Status, body, i+1)
		}
	}
	if err := os.WriteFile(file, []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, client, "http://"+addrs[0]+"/a.txt"); body != "changed" {
		t.Errorf("after a change: %q", body)
	}
	for _, path := range []string{"/link", "/../secret", "/none"} {
		if r, body := get(t, client, "http://"+addrs[0]+path); r.StatusCode < 400 || strings.Contains(body, "secret\n") || body == "secret" {
			t.Errorf("%s: %s %q", path, r.Status, body)
		}
	}
	if r, body := get(t, client, "http://"+addrs[0]+"/"); r.StatusCode != 200 || !strings.Contains(body, "a.txt") {
		t.Errorf("listing: %s %q", r.Status, body)
	}
	client.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]config{
		"no such directory": {http: "127.0.0.1:0", dir: "testdata/none"},
		"nothing to do":     {dir: "."},
		"no key":            {http: "127.0.0.1:0", cert: "main.go", key: "main.go", dir: "."},
		"bad address":       {http: "127.0.0.1:99999", dir: "."},
	} {
		if err := run(t.Context(), c, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
