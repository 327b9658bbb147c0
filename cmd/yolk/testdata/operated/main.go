// Command operated serves what there is to know of its machine on port 80.
package main

import (
	_ "expvar"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func main() {
	http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		text, _ := os.ReadFile("/proc/yolk/metrics")
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		w.Write(text)
	})
	http.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "/file") })
	l, err := net.Listen("tcp", ":80")
	if err == nil {
		fmt.Println("ready")
		err = http.Serve(l, nil)
	}
	fmt.Println(err)
	os.Exit(1)
}
