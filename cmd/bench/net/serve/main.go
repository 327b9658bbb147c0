// Command serve is what cmd/bench/net measures: a web server, and work on the loopback
// interface. In a Linux guest it is process 1.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/yolkos/yolk/cmd/bench/internal/guest"
)

func main() {
	_, err := guest.Start()
	if err == nil {
		err = guest.StartNetwork(netip.MustParseAddr("10.0.2.15"))
	}
	if err == nil {
		err = serve()
	}
	fmt.Println("net failed", err)
	guest.Exit(1)
}

// chunk is how much is written at once, in bytes.
const chunk = 64 << 10

func serve() error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("bytes"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		for b := make([]byte, chunk); n > 0; n -= len(b) {
			b = b[:min(n, chunk)]
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
		io.CopyBuffer(io.Discard, onlyReader{r.Body}, make([]byte, chunk))
	})
	mux.HandleFunc("/loopback", func(w http.ResponseWriter, _ *http.Request) {
		rate, n, err := loopback()
		fmt.Fprintln(w, rate, n, err)
	})
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { guest.Exit(0) })
	certificate, err := ownCertificate()
	if err != nil {
		return err
	}
	secure := &http.Server{Addr: ":443", Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	go func() { fmt.Println("net:", secure.ListenAndServeTLS("", "")) }()
	udp, err := net.ListenPacket("udp4", ":81")
	if err != nil {
		return err
	}
	go echo(udp)
	fmt.Println("net ready")
	return http.ListenAndServe(":80", mux)
}

// ownCertificate is signed by itself.
func ownCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"guest"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

type onlyReader struct{ io.Reader }

func echo(c net.PacketConn) {
	b := make([]byte, 2048)
	for {
		n, from, err := c.ReadFrom(b)
		if err == nil {
			_, _ = c.WriteTo(b[:n], from)
		}
	}
}

// loopback makes requests to the server itself, and tells how many a second, and in all.
func loopback() (rate float64, n int, err error) {
	client := &http.Client{Transport: &http.Transport{}}
	begin := time.Now()
	for time.Since(begin) < 2*time.Second {
		r, err := client.Get("http://127.0.0.1/")
		if err != nil {
			return 0, n, err
		}
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		n++
	}
	return float64(n) / time.Since(begin).Seconds(), n, nil
}
