package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yolkos/yolk/internal/tools"
)

// TestGuestFileserver drives the file server in a guest with curl and a browser.
func TestGuestFileserver(t *testing.T) {
	yolk := guestTest(t)
	for _, machine := range []string{"microvm", "q35"} {
		t.Run(machine, func(t *testing.T) {
			site := t.TempDir()
			if err := os.CopyFS(site, os.DirFS("fileserver/site")); err != nil {
				t.Fatal(err)
			}
			s := serve(t, yolk, "fileserver", []string{"80", "443"}, "--machine", machine, "--root", site,
				".", "-cert", "self", "/")
			http, https := "http://"+s.addr("80"), "https://"+s.addr("443")
			s.client("Served by one Go program", "curl", "-sS", http+"/")
			if out := s.client("", "curl", "-sSk", "-o", os.DevNull, "-w", "%{http_version} %{http_code}", https+"/style.css"); out != "2 200" {
				t.Errorf("over TLS: %q, want HTTP/2 and 200", out)
			}
			// What changes on the host is served as it is then.
			page := filepath.Join(site, "new.txt")
			for _, text := range []string{"first", "second, and longer"} {
				if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				s.client(text, "curl", "-sS", http+"/new.txt")
			}
			big := strings.Repeat("0123456789abcdef", 1<<20)
			if err := os.WriteFile(filepath.Join(site, "big"), []byte(big), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, url := range []string{http, https} {
				if got := s.client("", "curl", "-sSk", url+"/big"); got != big {
					t.Errorf("%s: a file of %d bytes came as one of %d, or with others in it", url, len(big), len(got))
				}
			}
			if out := s.client("", "curl", "-sS", "-o", os.DevNull, "-w", "%{http_code}", http+"/none"); out != "404" {
				t.Errorf("a file that is not there: %s", out)
			}
			browser := tools.Browser(t)
			dom := s.client("", browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
				"--virtual-time-budget=10000", "--dump-dom", http+"/")
			if !strings.Contains(dom, "Its script has run, and this text came by a second request.") {
				t.Errorf("in %s: %s", browser, dom)
			}
			s.stop()
		})
	}
}
