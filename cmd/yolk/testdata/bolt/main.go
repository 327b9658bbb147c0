// Program bolt puts entries into a database, or counts those that are there.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

func main() {
	log.SetFlags(0)
	db, err := bbolt.Open(os.Args[2], 0o644, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	if os.Args[1] == "fill" {
		for i := range 100 {
			err = errors.Join(err, db.Update(func(tx *bbolt.Tx) error { return fill(tx, i) }))
		}
	} else {
		err = db.View(count)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		log.Fatal(err)
	}
}

func fill(tx *bbolt.Tx, i int) error {
	b, err := tx.CreateBucketIfNotExists([]byte("bucket"))
	for j := range 20 {
		if err == nil {
			err = b.Put(fmt.Append(nil, i, j), make([]byte, 1000))
		}
	}
	return err
}

func count(tx *bbolt.Tx) error {
	for err := range tx.Check() {
		return err
	}
	n := 0
	err := tx.Bucket([]byte("bucket")).ForEach(func(_, v []byte) error { n += len(v); return nil })
	fmt.Println(n, "bytes")
	return err
}
