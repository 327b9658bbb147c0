// Command debugged is what tests look at in a debugger.
package main

import (
	"fmt"
	"os"
	"strings"

	"example.com/debugged/shop"
)

func worker(jobs <-chan string) {
	for j := range jobs {
		fmt.Println(j)
	}
}

func main() {
	greeting := strings.Join(os.Args, ",")
	jobs := make(chan string)
	for range 3 {
		go worker(jobs)
	}
	s := &shop.Shop{Name: "corner", Stock: map[string]int{"eggs": 12}}
	left := s.Sell("eggs", 5)
	fmt.Println(greeting, left)
	os.Exit(3)
}
