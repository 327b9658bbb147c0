package metrics

import "testing"

func TestText(t *testing.T) {
	x := New([]byte("before\n"))
	x.Family("a_seconds", Counter, "seconds", "A\\b\nc \"d\".")
	x.Float(1.5, Label{"x", "a\"b\\c\nd\xff"}, Label{"y", ""})
	x.Family("b", Info, "", "B.")
	x.Uint(1)
	x.Family("c_bytes", Gauge, "bytes", "C.")
	x.Uint(1 << 63)
	x.Family("d_seconds", Histogram, "seconds", "D.")
	x.Histogram([]Bucket{{0.5, 1}, {1, 0}, {0, 2}}, 7.25, Label{"o", "p"})
	const want = `before
# TYPE a_seconds counter
# UNIT a_seconds seconds
# HELP a_seconds A\\b\nc "d".
a_seconds_total{x="a\"b\\c\nd` + "\ufffd" + `",y=""} 1.5
# TYPE b info
# HELP b B.
b_info 1
# TYPE c_bytes gauge
# UNIT c_bytes bytes
# HELP c_bytes C.
c_bytes 9223372036854775808
# TYPE d_seconds histogram
# UNIT d_seconds seconds
# HELP d_seconds D.
d_seconds_bucket{o="p",le="0.5"} 1
d_seconds_bucket{o="p",le="1"} 1
d_seconds_bucket{o="p",le="+Inf"} 3
d_seconds_count{o="p"} 3
d_seconds_sum{o="p"} 7.25
# EOF
`
	if got := string(x.End()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
