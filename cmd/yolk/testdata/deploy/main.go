// Command deploy is a server like those that are deployed: with files in its image,
// settings, a secret, data that stays, and requests that are finished when it is asked to end.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	addr := flag.String("addr", ":80", "address to listen on")
	status := flag.Int("status", 0, "exit status after SIGTERM")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	// What it was given, and how often it has been asked.
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "args %q\nmode %q\n", flag.Args(), os.Getenv("MODE"))
		for _, name := range []string{"/hello.txt", "/etc/app/conf", "/etc/tls/key"} {
			data, err := os.ReadFile(name)
			if err != nil {
				data = []byte("-")
			}
			fmt.Fprintf(w, "%s %s\n", name, strings.TrimSpace(string(data)))
		}
		f, err := os.OpenFile("/data/visits", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
		if err == nil {
			fmt.Fprint(f, "x")
			info, _ := f.Stat()
			fmt.Fprintf(w, "visits %d\n", info.Size())
			f.Close()
		}
	})
	// A request that is under way when the program is asked to end.
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "begun")
		w.(http.Flusher).Flush()
		<-ctx.Done()
		fmt.Fprintln(w, "finished")
	})
	server := &http.Server{Addr: *addr, Handler: mux}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	<-ctx.Done()
	if err := server.Shutdown(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("drained")
	os.Exit(*status)
}
