package main

import "testing"

func TestChosen(t *testing.T) {
	if len(chosen) == 0 || fromAssembly() != 1 {
		t.Error(chosen)
	}
}
