package main

func init() { chosen = append(chosen, "a file that is not for Linux") }
