package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPage: the page shows the table as it is.
func TestPage(t *testing.T) {
	got, err := os.ReadFile(filepath.Join("..", "..", page))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text() {
		t.Errorf("%s is out of date: go run ./cmd/calltable", page)
	}
}
