// Command openmetrics reads OpenMetrics text as Prometheus does, and prints the names of
// its families with their types, and the number of samples of each.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	p := textparse.NewOpenMetricsParser(text, labels.NewSymbolTable())
	kinds, help, samples := map[string]string{}, map[string]bool{}, map[string]int{}
	var order []string
	seen := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fail(err)
		}
		switch entry {
		case textparse.EntryType:
			name, kind := p.Type()
			if _, again := kinds[string(name)]; again {
				fail(fmt.Errorf("family %s comes twice", name))
			}
			order = append(order, string(name))
			kinds[string(name)] = string(kind)
		case textparse.EntryHelp:
			name, _ := p.Help()
			help[string(name)] = true
		case textparse.EntrySeries:
			series, _, value := p.Series()
			family := order[len(order)-1]
			if seen[string(series)] {
				fail(fmt.Errorf("series %s comes twice", series))
			}
			if value < 0 || !strings.HasPrefix(string(series), family) {
				fail(fmt.Errorf("series %s in family %s: %v", series, family, value))
			}
			seen[string(series)] = true
			samples[family]++
		}
	}
	for _, name := range order {
		if !help[name] {
			fail(fmt.Errorf("family %s has no help", name))
		}
		fmt.Println(name, kinds[name], samples[name])
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
