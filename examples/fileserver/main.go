// Command fileserver serves a directory over HTTP and, with a certificate, over
// HTTPS with HTTP/2. What changes in the directory is served as it is then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	c := config{}
	flag.StringVar(&c.http, "http", ":80", "address for HTTP; empty: none")
	flag.StringVar(&c.https, "https", ":443", "address for HTTPS, with -cert")
	flag.StringVar(&c.cert, "cert", "", "file with the certificate chain, PEM; \"self\": a certificate made at the start")
	flag.StringVar(&c.key, "key", "", "file with its key, PEM")
	flag.StringVar(&c.names, "names", "localhost", "names for -cert self, with commas between")
	flag.DurationVar(&c.grace, "grace", 5*time.Second, "for requests under way after SIGTERM or SIGINT")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: fileserver [flags] [DIR]\n\nDIR is the current directory if it is not given.")
		flag.PrintDefaults()
	}
	flag.Parse()
	c.dir = "."
	switch flag.NArg() {
	case 0:
	case 1:
		c.dir = flag.Arg(0)
	default:
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c, slog.Default()); err != nil {
		fmt.Fprintln(os.Stderr, "fileserver:", err)
		os.Exit(1)
	}
}

type config struct {
	http, https      string
	cert, key, names string
	dir              string
	grace            time.Duration
	listening        func(net.Listener) // for tests
}

// run serves until ctx is done, and then finishes what is under way.
func run(ctx context.Context, c config, log *slog.Logger) error {
	root, err := os.OpenRoot(c.dir) // a link in DIR leads nowhere outside
	if err != nil {
		return err
	}
	defer root.Close()
	listeners, err := listen(c)
	if err != nil {
		return err
	}
	if len(listeners) == 0 {
		return errors.New("nothing to listen on: -http is empty and there is no -cert")
	}
	server := &http.Server{
		Handler:           logged(log, http.FileServerFS(root.FS())),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		if c.listening != nil {
			c.listening(l)
		}
		log.Info("serving", "dir", c.dir, "addr", l.Addr().String())
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), c.grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// logged tells of each request.
func logged(log *slog.Logger, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		start := time.Now()
		h.ServeHTTP(s, r)
		log.Info("request", "from", r.RemoteAddr, "proto", r.Proto, "method", r.Method, "path", r.URL.Path,
			"status", s.status, "bytes", s.bytes, "time", time.Since(start))
	})
}

// statusWriter notes what a handler answers.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
