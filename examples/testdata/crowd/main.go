// Command crowd is a web server for many: / is a line, /stream never ends.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello\n") })
	http.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		for b := make([]byte, 16<<10); ; {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":80", nil))
	os.Exit(1)
}
