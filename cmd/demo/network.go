package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	probing "github.com/prometheus-community/pro-bing"
	"github.com/schollz/progressbar/v3"
)

// curl asks a server by HTTP or HTTPS, and prints or keeps what it answers.
func curl(p *process, args []string) (err error) {
	f := p.flags()
	output := f.StringP("output", "o", "", "")
	onlyHead, include := f.BoolP("head", "I", false, ""), f.BoolP("include", "i", false, "")
	follow, silent, fail := f.BoolP("location", "L", false, ""), f.BoolP("silent", "s", false, ""), f.BoolP("fail", "f", false, "")
	method, data, headers := f.StringP("request", "X", "", ""), f.StringP("data", "d", "", ""), f.StringArrayP("header", "H", nil, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError("one URL")
	}
	request, err := newRequest(p, f.Arg(0), *method, *data, *headers, *onlyHead)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	if !*follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if *fail && response.StatusCode >= 400 {
		return fmt.Errorf("%s: %s", request.URL, response.Status)
	}
	out := p.out
	if *output != "" && *output != "-" {
		file, err := os.Create(p.at(*output))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
		if p.color && !*silent {
			bar := newBar(p, response.ContentLength, "receiving")
			defer bar.Clear()
			out = io.MultiWriter(file, bar)
		}
	}
	if *onlyHead || *include {
		if _, err := io.WriteString(out, headText(response)); err != nil {
			return err
		}
	}
	n, err := io.Copy(out, stoppable{p: p, r: response.Body})
	if err == nil && response.ContentLength > n && !*onlyHead {
		err = fmt.Errorf("%s: %d bytes of %d came", request.URL, n, response.ContentLength)
	}
	return err
}

func newRequest(p *process, url, method, data string, headers []string, head bool) (*http.Request, error) {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	var body io.Reader
	switch {
	case method != "":
	case head:
		method = http.MethodHead
	case data != "":
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	if data != "" {
		body = strings.NewReader(data)
	}
	request, err := http.NewRequestWithContext(p.ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "yolk-demo")
	if data != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, usageError(fmt.Sprintf("-H %q: a name, a colon and a value", h))
		}
		if strings.EqualFold(name, "Host") {
			request.Host = strings.TrimSpace(value)
		}
		request.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return request, nil
}

// headText is the head of a response, its fields by name.
func headText(r *http.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\r\n", r.Proto, r.Status)
	var names []string
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	return b.String() + "\r\n"
}

// newBar shows how much of a number of bytes has passed, when that takes long; -1
// is a number that nobody knows.
func newBar(p *process, total int64, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(p.errs),
		progressbar.OptionSetWidth(max(10, min(40, p.width/3))),
		progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription(what))
}

// ping sends ICMP echo requests, as ping(8) does, from a socket that needs no
// rights (icmp(7), SOCK_DGRAM), or from a raw one with -r.
func ping(p *process, args []string) error {
	f := p.flags()
	count := f.UintP("count", "c", 0, "")
	interval := f.Float64P("interval", "i", 1, "")
	raw := f.BoolP("raw", "r", false, "")
	timeout := f.Float64P("timeout", "w", 0, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError("one host")
	}
	every, err := seconds(*interval)
	if err != nil {
		return err
	}
	newPinger := func(raw bool) *probing.Pinger {
		pinger := probing.New(f.Arg(0))
		pinger.SetLogger(probing.NoopLogger{})
		pinger.SetPrivileged(raw)
		pinger.Interval = every
		if *count > 0 {
			pinger.Count = int(min(*count, 1<<30))
			// One that is lost is not waited for without end.
			pinger.Timeout = time.Duration(pinger.Count)*every + 10*time.Second
		}
		if *timeout > 0 {
			pinger.Timeout = time.Duration(min(*timeout, 1e6) * float64(time.Second))
		}
		pinger.OnSetup = func() {
			p.printf("PING %s (%s): %d bytes\n", pinger.Addr(), pinger.IPAddr(), pinger.Size)
		}
		pinger.OnRecv = func(r *probing.Packet) {
			p.printf("%d bytes from %s: icmp_seq=%d ttl=%d time=%v\n", r.Nbytes, r.IPAddr, r.Seq, r.TTL, r.Rtt.Round(time.Microsecond))
		}
		return pinger
	}
	pinger := newPinger(*raw)
	err = pinger.RunWithContext(p.ctx)
	if errors.Is(err, fs.ErrPermission) && !*raw { // net.ipv4.ping_group_range
		pinger = newPinger(true)
		err = pinger.RunWithContext(p.ctx)
	}
	if err != nil {
		return err
	}
	s := pinger.Statistics()
	// Also after Ctrl-C, when p.out takes nothing any more.
	fmt.Fprintf(p.last, "%d sent, %d received, %.0f%% lost; round trip min %v, average %v, max %v\n",
		s.PacketsSent, s.PacketsRecv, s.PacketLoss, s.MinRtt.Round(time.Microsecond), s.AvgRtt.Round(time.Microsecond), s.MaxRtt.Round(time.Microsecond))
	if s.PacketsRecv == 0 {
		return errFalse
	}
	return nil
}
