package main

import (
	"fmt"
	"os"

	"github.com/yolkos/yolk/cmd/bench/scale/internal/plan"
)

// names, evict and files ask for the attributes of more and more names. The
// cost of a row is that of the step from the row before. Names and evict have
// the same names, each file with many, in machines with much and with little
// RAM; files has one name for each.
func names(p *plan.Plan) error { return stats(p, plan.Names, nameIn(p)) }

func evict(p *plan.Plan) error { return stats(p, plan.Evict, nameIn(p)) }

func nameIn(p *plan.Plan) func(i int) string {
	dir := plan.WalkDir(p.Largest(plan.Walk)) + "/"
	return func(i int) string { return dir + plan.Entry(i) }
}

func files(p *plan.Plan) error {
	return stats(p, plan.Files, func(i int) string {
		return plan.FilesDir(i%plan.Shares) + plan.File(i/plan.Shares)
	})
}

func stats(p *plan.Plan, table string, name func(i int) string) error {
	from := 0
	before := heap()
	for _, size := range p.Sizes[table] {
		err := measure(table, size, "first", from, size, func(from, to int) error {
			return spread(from, to, func(i int) error { return stat(name(i)) })
		})
		if err != nil {
			return err
		}
		if err := hit(table, size, name); err != nil {
			return err
		}
		if err := tellCounts(table, size, heap()-before); err != nil {
			return err
		}
		from = size
	}
	return nil
}

// hit measures looks at names that are known, few enough for their lifetime of
// a second to last.
func hit(table string, size int, name func(i int) string) error {
	const known, rounds = 500, 10
	look := each(func(i int) error { return stat(name(i % known * (size / known))) })
	if err := look(0, known); err != nil {
		return err
	}
	return measure(table, size, "again", 0, known*rounds, look)
}

func tellCounts(table string, size int, used float64) error {
	held, err := counters("names")
	if err != nil {
		return err
	}
	server, err := counters("root")
	if err != nil {
		return err
	}
	for column, n := range map[string]float64{
		"server": server["server.limit"], "held": held["held"], "limit": held["limit"], "evicted": held["evicted"],
		"nodes": server["server.nodes"], "forgot": server["server.forgotten"],
		"messages": server["FORGET"] + server["BATCH_FORGET"], "heap": used,
	} {
		tell(table, int64(size), column, n)
	}
	return nil
}

// stat looks at a file that must be there, with the size that it has.
func stat(name string) error {
	info, err := os.Stat(name)
	if err == nil && info.Size() != plan.FileSize {
		err = fmt.Errorf("%s has %d bytes", name, info.Size())
	}
	return err
}
