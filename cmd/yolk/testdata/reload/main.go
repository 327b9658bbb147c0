// Program reload watches the tree in its argument as programs do that reload what
// is edited: it writes "ready", and then, whenever fsnotify says that a file has
// changed, the file's path and what is in it.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

func main() {
	w, err := fsnotify.NewWatcher()
	if err == nil {
		err = add(w, os.Args[1])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	for {
		select {
		case e := <-w.Events:
			changed(w, e.Name)
		case err := <-w.Errors:
			fmt.Println("error:", err)
		}
	}
}

// add watches the directories below dir.
func add(w *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = w.Add(path)
		}
		return err
	})
}

// changed tells what is at path, in all files below it if it is a directory.
func changed(w *fsnotify.Watcher, path string) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		fmt.Printf("%s gone\n", path)
	case info.IsDir():
		add(w, path) // it may be gone again
		list, _ := os.ReadDir(path)
		fmt.Printf("%s directory\n", path)
		for _, e := range list {
			changed(w, filepath.Join(path, e.Name()))
		}
	default:
		b, _ := os.ReadFile(path)
		fmt.Printf("%s %q\n", path, b)
	}
}
