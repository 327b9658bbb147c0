package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var sqliteRounds = flag.Int("sqlite", 100, "how many databases TestGuestSQLite fills")

// TestGuestSQLite fills databases in WAL mode with four goroutines, with one
// CPU and with two, and with and without somebody on the host who reads the
// files meanwhile: no row is missed, and no "disk I/O error".
func TestGuestSQLite(t *testing.T) {
	needGuest(t)
	dir, _ := module(t, "sqlite")
	rounds := max(1, *sqliteRounds/4)
	for _, cpus := range []string{"1", "2"} {
		for _, reader := range []bool{false, true} {
			t.Run(fmt.Sprintf("cpus%s/reader=%v", cpus, reader), func(t *testing.T) {
				root := t.TempDir()
				stop, stopped := make(chan bool), make(chan bool)
				go func() {
					defer close(stopped)
					for reader {
						for _, name := range []string{"db", "db-wal"} {
							os.ReadFile(filepath.Join(root, name)) // it need not be there
						}
						select {
						case <-stop:
							return
						default:
						}
					}
				}()
				got := runCommand(t, yolkCommand(t, dir, "run", "-q", "--cpus", cpus, "--mem", "512M", "--tags", "sqlite3_dotlk",
					"--root", root, ".", "--", fmt.Sprint(rounds)))
				close(stop)
				<-stopped
				if want := fmt.Sprintf("%d rounds, bad 0\n", rounds); got.status != 0 || got.stdout != want {
					t.Errorf("%+v, want %s", got, want)
				}
			})
		}
	}
}
