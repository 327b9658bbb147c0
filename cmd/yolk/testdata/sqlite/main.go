// Program sqlite has four goroutines write to one database in WAL mode, and
// each read back what it has written, as many times as its argument says, with
// a new database each time. It ends with the number of databases in which
// anything went wrong.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"

	_ "github.com/ncruces/go-sqlite3/driver"
)

const (
	writers = 4
	rows    = 25 // of each writer
	path    = "/db"
)

func main() {
	log.SetFlags(0)
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	bad := 0
	for i := range rounds {
		if err := round(); err != nil {
			log.Printf("round %d: %v", i, err)
			bad++
		}
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			os.Remove(path + suffix)
		}
	}
	fmt.Println(rounds, "rounds, bad", bad)
}

// round fills a database and returns the first error.
func round() error {
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(600000)&_pragma=synchronous(normal)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec("create table t(writer int, row int, v text)"); err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for w := range writers {
		wg.Go(func() { errs <- write(db, w) })
	}
	wg.Wait()
	for range writers {
		if err := <-errs; err != nil {
			return err
		}
	}
	var mode, check string
	if err := db.QueryRow("pragma journal_mode").Scan(&mode); err != nil || mode != "wal" {
		return fmt.Errorf("journal mode %q, %v", mode, err)
	}
	if err := db.QueryRow("pragma integrity_check").Scan(&check); err != nil || check != "ok" {
		return fmt.Errorf("integrity %q, %v", check, err)
	}
	return found(db, "select count(*) from t", writers*rows)
}

func write(db *sql.DB, w int) error {
	for i := range rows {
		if _, err := db.Exec("insert into t values(?,?,?)", w, i, strings.Repeat(strconv.Itoa(i), 100)); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		if err := found(db, fmt.Sprint("select count(*) from t where writer=", w), i+1); err != nil {
			return err
		}
	}
	return nil
}

// found checks that a query counts want rows.
func found(db *sql.DB, query string, want int) error {
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	if n != want {
		return fmt.Errorf("%s: %d rows, want %d", query, n, want)
	}
	return nil
}
