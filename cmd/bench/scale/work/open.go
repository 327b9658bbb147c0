package main

import (
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// samples is how many of a row's files are read, each once, to find out what it
// costs.
const samples = 900

// open opens more and more files, of several shares, and closes them in any
// order. The cost of a row is that of the step from the row before.
func open(p *plan.Plan) error {
	different, err := differentFiles(p)
	if err != nil {
		return err
	}
	name := func(i int) string {
		return plan.OpenDir(i%plan.Shares) + plan.File(i/plan.Shares%different)
	}
	list := make([]*os.File, 0, p.Largest(plan.Open))
	r := rand.New(rand.NewPCG(1, 1))
	before := heap()
	for _, size := range p.Sizes[plan.Open] {
		from := len(list)
		err := measure(plan.Open, size, "open", from, size, each(func(i int) error {
			f, err := os.Open(name(i))
			list = append(list, f)
			return err
		}))
		if err != nil {
			return fmt.Errorf("with %d open: %w", len(list), err)
		}
		tell(plan.Open, int64(size), "bytes", (heap()-before)/float64(size))
		tell(plan.Open, int64(size), "different", float64(min(different*plan.Shares, size)))
		buf := make([]byte, plan.FileSize)
		err = measure(plan.Open, size, "pread", 0, min(samples, size-from), each(func(i int) error {
			_, err := list[from+i*max(1, (size-from)/samples)].ReadAt(buf, 0)
			return err
		}))
		if err != nil {
			return err
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	sizes := append([]int{0}, p.Sizes[plan.Open]...)
	for i := len(sizes) - 1; i > 0; i-- {
		err := measure(plan.Open, sizes[i], "close", sizes[i-1], sizes[i], each(func(k int) error { return list[k].Close() }))
		if err != nil {
			return err
		}
	}
	return nil
}

// differentFiles is how many files there are to open in each share: fewer than
// opens, where the server has no descriptors for so many files and opens.
func differentFiles(p *plan.Plan) (int, error) {
	opens := (p.Largest(plan.Open) + plan.Shares - 1) / plan.Shares
	c, err := counters(plan.Tag(0))
	if err != nil {
		return 0, err
	}
	limit := int(c["server.limit"])
	if limit == 0 {
		return opens, nil
	}
	room := limit - limit/32 - 100 - opens
	if room <= 0 {
		return 0, fmt.Errorf("the host lets a server have %d descriptors, and %d are needed and some more", limit, opens)
	}
	return min(opens, room), nil
}
