package main

import "os"

// profileFile is a file for a profile. It is made before the program runs, so that
// a wrong name is found early, and removed if no profile comes.
type profileFile struct {
	file *os.File
	got  bool
}

func createProfile(name string) (*profileFile, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &profileFile{file: f}, nil
}

// Write takes the whole profile.
func (p *profileFile) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	p.got = err == nil
	return n, err
}

func (p *profileFile) close() {
	info, err := p.file.Stat()
	p.file.Close()
	if !p.got && err == nil && info.Mode().IsRegular() {
		os.Remove(p.file.Name())
	}
}
