package main

import (
	"strings"
	"testing"

	"github.com/tidwall/buntdb"
)

// TestVerify damages a database and has verify say where.
func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		least  int // transactions asked for
		damage func(tx *buntdb.Tx) error
		want   string
	}{
		{name: "whole", least: 20},
		{name: "too short", least: 21, want: "transaction 21 is missing; the last one is 20"},
		{
			name:   "a record changed",
			damage: func(tx *buntdb.Tx) error { return set(tx, recordKey(7, 2), recordValue(7, 3)) },
			want:   "transaction 7 of 20, record 2: wrong value",
		}, {
			name:   "a record gone",
			damage: func(tx *buntdb.Tx) error { _, err := tx.Delete(recordKey(20, 4)); return err },
			want:   "transaction 20 of 20, record 4: not found",
		}, {
			name:   "a part of one more",
			damage: func(tx *buntdb.Tx) error { return set(tx, recordKey(21, 0), recordValue(21, 0)) },
			want:   "102 records for 20 transactions, want 101",
		}, {
			name:   "its last record only",
			damage: func(tx *buntdb.Tx) error { return set(tx, lastKey, "21") },
			want:   "transaction 21 of 21, record 0: not found",
		}, {
			name:   "emptied",
			damage: func(tx *buntdb.Tx) error { return tx.DeleteAll() },
			least:  1,
			want:   "transaction 1 is missing; the last one is 0",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir() + "/new"
			if err := run([]string{"fill", dir, "20"}); err != nil {
				t.Fatal(err)
			}
			s, err := open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if tt.damage != nil {
				if err := s.db.Update(tt.damage); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			s, err = open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			err = verify(s, tt.least)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func set(tx *buntdb.Tx, key, value string) error {
	_, _, err := tx.Set(key, value, nil)
	return err
}

func TestArguments(t *testing.T) {
	for _, args := range []string{"", "fill", "fill d 0", "fill d x", "verify d 1 2", "empty d"} {
		if err := run(strings.Fields(args)); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
