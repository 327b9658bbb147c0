// Package metrics writes what the kernel counts as OpenMetrics text, version 1.0.0
// (https://github.com/prometheus/OpenMetrics, specification), which Prometheus and its
// like read.
package metrics

import (
	"strconv"
	"time"
)

// Type is that of a metric family.
type Type string

// The types that are used.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Info      Type = "info"
	Histogram Type = "histogram"
)

// Text is a text that is being written: families, each with its samples, and End.
type Text struct {
	b      []byte
	family string
	kind   Type
}

// New returns a text behind b.
func New(b []byte) *Text { return &Text{b: b} }

// Label is a name and a value.
type Label struct{ Name, Value string }

// Family begins a family. A unit is the last part of the name.
func (t *Text) Family(name string, kind Type, unit, help string) {
	t.family, t.kind = name, kind
	t.b = append(append(append(append(append(t.b, "# TYPE "...), name...), ' '), kind...), '\n')
	if unit != "" {
		t.b = append(append(append(append(append(t.b, "# UNIT "...), name...), ' '), unit...), '\n')
	}
	t.b = append(append(append(t.b, "# HELP "...), name...), ' ')
	t.b = append(escape(t.b, help, false), '\n')
}

// Uint adds a sample of the family, Float another one.
func (t *Text) Uint(v uint64, labels ...Label) {
	t.name(t.suffix(), labels)
	t.b = append(strconv.AppendUint(t.b, v, 10), '\n')
}

// Float adds a sample of the family.
func (t *Text) Float(v float64, labels ...Label) {
	t.name(t.suffix(), labels)
	t.b = append(appendFloat(t.b, v), '\n')
}

// Seconds is Float for a time.
func (t *Text) Seconds(d time.Duration, labels ...Label) { t.Float(d.Seconds(), labels...) }

func (t *Text) suffix() string {
	switch t.kind {
	case Counter:
		return "_total"
	case Info:
		return "_info"
	}
	return ""
}

// Bucket is a class of a histogram: Count values were less than Limit, or as large, and
// larger than that of the bucket before.
type Bucket struct {
	Limit float64 // of the last one it does not count
	Count uint64
}

// Histogram adds the samples of a histogram, whose last bucket has all larger values.
func (t *Text) Histogram(buckets []Bucket, sum float64, labels ...Label) {
	n := uint64(0)
	for i, b := range buckets {
		n += b.Count
		limit := "+Inf"
		if i < len(buckets)-1 {
			limit = string(appendFloat(nil, b.Limit))
		}
		t.name("_bucket", append(labels[:len(labels):len(labels)], Label{"le", limit}))
		t.b = append(strconv.AppendUint(t.b, n, 10), '\n')
	}
	t.name("_count", labels)
	t.b = append(strconv.AppendUint(t.b, n, 10), '\n')
	t.name("_sum", labels)
	t.b = append(appendFloat(t.b, sum), '\n')
}

// name begins the line of a sample.
func (t *Text) name(suffix string, labels []Label) {
	t.b = append(append(t.b, t.family...), suffix...)
	for i, l := range labels {
		t.b = append(t.b, "{,"[min(i, 1)])
		t.b = append(append(t.b, l.Name...), `="`...)
		t.b = append(escape(t.b, l.Value, true), '"')
	}
	if len(labels) > 0 {
		t.b = append(t.b, '}')
	}
	t.b = append(t.b, ' ')
}

// End ends the text and returns it.
func (t *Text) End() []byte { return append(t.b, "# EOF\n"...) }

func appendFloat(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// escape appends s as it stands in a help text, or in quotes. What is no UTF-8, as a
// path may be, is replaced.
func escape(b []byte, s string, quoted bool) []byte {
	for _, r := range s {
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == '\n':
			b = append(b, `\n`...)
		case r == '"' && quoted:
			b = append(b, `\"`...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}
