package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tidwall/buntdb"
)

// records is how many records a transaction adds. It also updates the one at
// lastKey, which holds the number of the last transaction.
const (
	records = 5
	lastKey = "last"
)

func recordKey(n, i int) string { return fmt.Sprintf("tx/%08d/%d", n, i) }

// recordValue is between 64 and 512 bytes long.
func recordValue(n, i int) string {
	sum := sha256.Sum256([]byte(recordKey(n, i)))
	return strings.Repeat(fmt.Sprintf("%x", sum), 1+int(sum[0]%8))
}

// store is the database with its transactions 1, 2, ….
type store struct{ db *buntdb.DB }

// open opens the database in a directory, which is made if it is not there.
func open(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	db, err := buntdb.Open(filepath.Join(dir, "data.db"))
	if err != nil {
		return nil, fmt.Errorf("open the database in %s: %w", dir, err)
	}
	var config buntdb.Config
	if err := db.ReadConfig(&config); err != nil {
		return nil, err
	}
	config.SyncPolicy = buntdb.Always // a commit is on disk when it returns
	return &store{db}, db.SetConfig(config)
}

func (s *store) close() error { return s.db.Close() }

// commit makes transaction n.
func (s *store) commit(n int) error {
	return s.db.Update(func(tx *buntdb.Tx) error {
		for i := range records {
			if _, _, err := tx.Set(recordKey(n, i), recordValue(n, i), nil); err != nil {
				return err
			}
		}
		_, _, err := tx.Set(lastKey, strconv.Itoa(n), nil)
		return err
	})
}

// verify returns the number of the last transaction when the database holds
// that one and all before, each whole and unchanged, and nothing else.
func (s *store) verify() (last int, err error) {
	err = s.db.View(func(tx *buntdb.Tx) error {
		text, err := tx.Get(lastKey)
		switch {
		case errors.Is(err, buntdb.ErrNotFound): // last is 0
		case err != nil:
			return err
		default:
			if last, err = strconv.Atoi(text); err != nil {
				return fmt.Errorf("record %s: %w", lastKey, err)
			}
		}
		for n := 1; n <= last; n++ {
			for i := range records {
				value, err := tx.Get(recordKey(n, i))
				if err != nil {
					return fmt.Errorf("transaction %d of %d, record %d: %w", n, last, i, err)
				}
				if value != recordValue(n, i) {
					return fmt.Errorf("transaction %d of %d, record %d: wrong value %.80q", n, last, i, value)
				}
			}
		}
		want := last * records
		if last > 0 {
			want++
		}
		if got, err := tx.Len(); err != nil || got != want {
			return fmt.Errorf("%d records for %d transactions, want %d (%v)", got, last, want, err)
		}
		return nil
	})
	return last, err
}
