// Command crowd is a web server for many: / is a line, /stream never ends.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
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
	go func() {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(":80", nil))
		os.Exit(1)
	}()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
}
