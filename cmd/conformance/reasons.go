package main

import (
	"maps"
	"slices"
)

// reasons tell, for each exception by package.Test, why the test does not
// pass in the guest. Each was found by reading the test.
var reasons = map[string]string{}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
