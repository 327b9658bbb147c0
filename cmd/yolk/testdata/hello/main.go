// Hello is the smallest program that tells that it ran.
package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }
